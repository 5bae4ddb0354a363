import { describe, expect, it } from "vitest";
import { questionsOf } from "../../src/vectors/questions.js";
import { defaultSettings, subjectOf, type VectorSettings } from "../../src/vectors/settings.js";
import { wordsOf } from "../../src/vectors/subject.js";
import { rowsOfTable, vectorTable } from "../../src/vectors/table.js";

const asked: readonly Partial<VectorSettings>[] = [
  {},
  { format: "e2m1fn", from: "e2m1fn" },
  { format: "fp16", rounding: "stochastic" },
  { format: "bf16", from: "fp64" },
  { operation: "add" },
  { operation: "sqrt" },
  { operation: "fma", format: "e4m3fn" },
  { operation: "mul", format: "e5m2", level: "2" },
  { operation: "sqrt", format: "e5m2", level: "exhaustive" },
  { operation: "fma", format: "e2m1fn", level: "exhaustive" },
  { operation: "adamw", format: "e5m2" },
  { operation: "quantize", format: "mxfp4" },
];

describe.each(asked)("%j", (given) => {
  const settings: VectorSettings = { ...defaultSettings, ...given };
  const subject = subjectOf(settings);
  const words = new Uint32Array(wordsOf(subject.inputs));
  const codesOf = (questions: Iterable<unknown>) =>
    Array.from(questions, (question) => {
      subject.write(question, words, 0);
      return words.join();
    });

  it("has each input once, where it comes first", () => {
    const codes = codesOf(questionsOf(subject, settings.level, settings.seed));
    // A set keeps the order in which its members came.
    expect(codes).toEqual([...new Set(codesOf(subject.questions(settings.level, settings.seed)))]);
  });

  it("so has the table, whose rows are counted alike", () => {
    const { chunks, stride } = vectorTable(settings);
    const inputs: string[] = [];
    for (const chunk of chunks()) {
      for (let at = 0; at < chunk.length; at += stride)
        inputs.push(chunk.subarray(at, at + words.length).join());
    }
    expect(new Set(inputs).size).toBe(inputs.length);
    expect(inputs.length).toBeGreaterThan(0);
    if (settings.level !== "exhaustive") expect(rowsOfTable(settings)).toBe(inputs.length);
  });
});
