import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import { chunkLength } from "../../src/engine/walk.js";
import { updateSettings } from "../../src/update/settings.js";
import { tensorOf } from "../support/values.js";

const cases = [updateSettings({ format: "bf16" })];
const endless = { length: 2 ** 52, read: async () => {} };

describe("walk", () => {
  it("refuses more weight-steps than fp64 counts exactly", async () => {
    const tensor = { name: "w", shape: [2 ** 52], weights: endless, updates: [endless, endless, endless] };
    await expect(reference.run({ tensors: [tensor], stepNumbers: [0, 1, 2], cases })).rejects.toThrow("2^53");
  });

  it("refuses tensors that do not fit the job", async () => {
    const job = { tensors: [tensorOf("w", [1, 2], [1])], stepNumbers: [0], cases };
    await expect(reference.run(job)).rejects.toThrow("expected updates of 2 elements, found 1");
    const steps = { tensors: [tensorOf("w", [1], [1])], stepNumbers: [0, 1], cases };
    await expect(reference.run(steps)).rejects.toThrow("expected 2 updates, found 1");
  });

  it("tells progress up to the whole, and what a failing source said", async () => {
    const told: [number, number][] = [];
    const tensors = [tensorOf("a", new Float32Array(5000), new Float32Array(5000)), tensorOf("b", [1], [1])];
    const observer = { progress: (done: number, total: number) => told.push([done, total]) };
    await reference.run({ tensors, stepNumbers: [0], cases, chunk: 4096 }, observer);
    expect(told).toEqual([
      [4096, 5001],
      [5000, 5001],
      [5001, 5001],
    ]);
    const broken = {
      ...tensorOf("w", [1], [1]),
      weights: { length: 1, read: () => Promise.reject(new Error("torn")) },
    };
    await expect(reference.run({ tensors: [broken], stepNumbers: [0], cases })).rejects.toThrow("torn");
  });

  it("works in whole blocks of sums, fewer elements the more cases there are", () => {
    expect(chunkLength({ cases, chunk: 1 })).toBe(4096);
    expect(chunkLength({ cases, chunk: 4097 })).toBe(8192);
    expect(chunkLength({ cases })).toBe(2 ** 19);
    expect(chunkLength({ cases: Array(4).fill(cases[0]) })).toBe(2 ** 17);
    expect(chunkLength({ cases: Array(1000).fill(cases[0]) })).toBe(4096);
  });
});
