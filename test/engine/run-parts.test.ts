import { describe, expect, it } from "vitest";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { type CountedPart, runParts, runWhole } from "../../src/engine/run-parts.js";
import { updateSettings } from "../../src/update/settings.js";
import { gaussianRun, tensorOf } from "../support/values.js";

const small = ["a", "b", "c"].map((name, i) => {
  const { weights, updates } = gaussianRun(i + 1, 5000 + 37 * i, 3, 4e-5);
  return tensorOf(name, weights, ...updates);
});

/** Tensors that say that they are large, so that each is a part of its own, on an engine that counts small ones. */
const job: LensJob = {
  tensors: small.map(({ name, shape }) => {
    const large = { length: 2 ** 24, read: async () => {} };
    return { name, shape, weights: large, updates: [large, large, large] };
  }),
  stepNumbers: [1, 2, 5],
  milestones: [0, 2],
  cases: [updateSettings({ format: "bf16" }), updateSettings({ format: "bf16", scheme: "kahan" })],
};

function countingEngine() {
  const counted: string[][] = [];
  const engine: Engine = {
    ...reference,
    run: (given, observer) => {
      counted.push(given.tensors.map(({ name }) => name));
      const tensors = given.tensors.map(({ name }) => small.find((tensor) => tensor.name === name)!);
      return reference.run({ ...given, tensors }, observer);
    },
  };
  return { engine, counted };
}

/** What a log keeps is JSON. */
function logOf(kept: Map<string, string>) {
  return {
    part: (name: string): CountedPart | null => JSON.parse(kept.get(name) ?? "null"),
    add: (name: string, part: CountedPart) => void kept.set(name, JSON.stringify(part)),
  };
}

describe("runParts", () => {
  it("gives what one run gives, curves too, and goes on from what the log has", async () => {
    const whole = await runWhole(job, countingEngine().engine);
    expect(whole.cases[0].curve.map(({ step, hidden }) => [step, hidden > 0])).toEqual([
      [1, true],
      [5, true],
    ]);
    const kept = new Map<string, string>();
    const first = countingEngine();
    expect(await runParts(job, first.engine, {}, logOf(kept))).toEqual(whole);
    expect(first.counted).toEqual([["a"], ["b"], ["c"]]);
    kept.delete("b");
    const second = countingEngine();
    expect(await runParts(job, second.engine, {}, logOf(kept))).toEqual(whole);
    expect(second.counted).toEqual([["b"]]);
  });

  it("tells progress over all parts", async () => {
    const told: (readonly [number, number])[] = [];
    const progress = (done: number, total: number) => told.push([done, total]);
    await runParts(job, countingEngine().engine, { progress }, logOf(new Map()));
    const total = 3 * 3 * 2 ** 24;
    expect(told.every(([done, all], i) => all === total && (i === 0 || done >= told[i - 1][0]))).toBe(true);
    expect(told.at(-1)).toEqual([total, total]);
  });
});
