import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { pairsOf } from "../../src/vectors/pairs.js";
import { defaultSettings, subjectOf, type VectorSettings } from "../../src/vectors/settings.js";
import { vectorTable } from "../../src/vectors/table.js";
import { textOf } from "../../src/vectors/text.js";
import { Mismatches } from "../support/mismatches.js";
import { sized } from "../support/tier.js";

const asked = (settings: Partial<VectorSettings>): VectorSettings => ({
  ...defaultSettings,
  level: "exhaustive",
  ...settings,
});

/** The quick tier takes one of 16 bits and one of 8. */
const formats = sized({ quick: ["bf16", "e4m3fn"], full: ["bf16", "fp16", "e4m3fn", "e5m2", "e4m3fnuz"] });

describe.each(["add", "sub", "mul", "div"] as const)("every pair: %s", (operation) => {
  it.each(formats)("of %s is what a single one is, in some rows", (name) => {
    const settings = asked({ operation, format: name });
    const pairs = pairsOf(settings)!;
    const subject = subjectOf(settings);
    const wrong = new Mismatches();
    const words = new Uint32Array(3);
    const rows =
      format(name).bits > 8
        ? [0x0001, 0x3f81, 0x8080, 0x7f7f, 0xbc03]
        : sized({
            quick: [0, 1, 9, 0x3c, 0x7b, 0x7e, 0x80, 0xc1],
            full: Array.from({ length: 256 }, (_, a) => a),
          });
    for (const a of rows) {
      const results = pairs.results(a);
      const flags = pairs.flags!(a, results);
      for (let b = 0; b < pairs.codes; b += format(name).bits > 8 ? 13 : 1) {
        words[0] = a;
        words[1] = b;
        const question = subject.read(words, 0);
        const answer = subject.answer(question);
        subject.writeAnswer(answer, words, 2);
        wrong.compare(results[b], words[2], () => `${operation} of ${a} and ${b}`);
        wrong.compare(
          flags[b],
          subject.flags!(question, answer),
          () => `flags: ${operation} of ${a} and ${b}`,
        );
      }
    }
    wrong.expectNone();
  });
});

it("the text and the words of pairs are those of single rows", () => {
  const settings = asked({ operation: "mul", format: "e5m2" });
  for (const form of ["hex", "testfloat", "csv", "json"] as const) {
    const table = vectorTable(settings, form === "testfloat");
    expect(table.pairs).not.toBeNull();
    const single = { ...table, pairs: null };
    const text = (given: typeof table) =>
      Buffer.concat([...textOf(given, form, settings)].map((piece) => piece.slice())).toString();
    expect(text(table)).toBe(text(single));
  }
  const table = vectorTable(settings);
  const rows = [...table.chunks()].reduce((sum, { length }) => sum + length / 3, 0);
  expect(rows).toBe(2 ** 16);
});

it("is only where fp32 leads to the exact result", () => {
  expect(pairsOf(asked({ operation: "add", rounding: "toward-zero" }))).toBeNull();
  const throughFp32 = pairsOf(asked({ operation: "add", rounding: "toward-zero", opmath: "fp32" }));
  expect(throughFp32).not.toBeNull();
  expect(throughFp32?.flags).toBeNull();
  expect(pairsOf(asked({ operation: "add", format: "tf32" }))).toBeNull();
  expect(pairsOf(asked({ operation: "add", level: "1" }))).toBeNull();
});
