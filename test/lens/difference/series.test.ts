import { describe, expect, it } from "vitest";
import type { DifferenceResult } from "../../../src/lens/difference/difference-result.js";
import { comparisonsOf, seriesOf } from "../../../src/lens/difference/series.js";

/** A comparison of checkpoints that tells which two these were, in every field. */
const between = (before: number, after: number) =>
  ({
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version: `of ${after}` },
    input: { before: { path: `${before}` }, after: { path: `${after}` } },
    settings: { seed: after },
    unknown: { hidden: `${before} ${after}` },
    totals: { elements: 10 * before + after },
    kinds: [{ kind: "q" }],
    layers: [{ layer: 0 }],
    tensors: [{ name: "w" }],
    delta: { fullBytes: 10 * before + after },
    // One that no comparison can take, and one that this cannot.
    skipped: [
      { name: "ids", reason: `integers, in ${before} and ${after}` },
      { name: `only in ${after}`, reason: "of one side" },
    ],
  }) as unknown as DifferenceResult;

const step = (before: number, after: number) => {
  const { unknown, totals, kinds, delta } = between(before, after);
  return { unknown, totals, kinds, delta };
};

async function series(count: number) {
  const asked: [number, number][] = [];
  const result = await seriesOf(count, async (before, after) => {
    asked.push([before, after]);
    return between(before, after);
  });
  return { asked, result };
}

describe("a series of checkpoints", () => {
  it("compares each with the one before it and with the first, no two twice", async () => {
    const { asked, result } = await series(4);
    expect(asked).toEqual([
      [0, 1],
      [1, 2],
      [0, 2],
      [2, 3],
      [0, 3],
    ]);
    expect(result.steps).toEqual([
      { change: step(0, 1), sinceStart: step(0, 1) },
      { change: step(1, 2), sinceStart: step(0, 2) },
      { change: step(2, 3), sinceStart: step(0, 3) },
    ]);
  });

  it("names the checkpoints in their order, and each tensor that was skipped once, with the first reason", async () => {
    const { result } = await series(3);
    const { steps: _, ...rest } = result;
    expect(rest).toEqual({
      schema: "precision-lens-series/1",
      tool: { name: "precision-lens", version: "of 2" },
      input: { checkpoints: [{ path: "0" }, { path: "1" }, { path: "2" }] },
      settings: { seed: 2 },
      skipped: [
        { name: "ids", reason: "integers, in 0 and 1" },
        { name: "only in 1", reason: "of one side" },
        { name: "only in 2", reason: "of one side" },
      ],
    });
  });

  it("of two is one comparison", async () => {
    const { asked, result } = await series(2);
    expect([asked, result.steps.length]).toEqual([[[0, 1]], 1]);
  });

  it("has as many comparisons as are foretold", async () => {
    for (const count of [2, 3, 7]) {
      expect(comparisonsOf(count)).toBe((await series(count)).asked.length);
    }
  });

  it("ends with the first comparison that fails", async () => {
    const failed = seriesOf(3, async (before, after) => {
      if (before === 1) throw new Error("torn");
      return between(before, after);
    });
    await expect(failed).rejects.toThrow("torn");
  });
});
