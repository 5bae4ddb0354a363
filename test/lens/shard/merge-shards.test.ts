import { describe, expect, it } from "vitest";
import type { DifferenceResult } from "../../../src/lens/difference/difference-result.js";
import { summarizeDifference } from "../../../src/lens/difference/summarize-difference.js";
import type { Result } from "../../../src/lens/run/result.js";
import type { PartialResult } from "../../../src/lens/shard/merge-parts.js";
import { mergeShards, ShardMerger } from "../../../src/lens/shard/merge-shards.js";
import type { Part } from "../../../src/lens/shard/part.js";
import { type SweepResult, sweepAnswers, sweepCells } from "../../../src/lens/study/sweep.js";
import { caseOf, resultOf } from "../../support/results.js";

/** The only shard of four weights in one tensor. */
const part: Part = { index: 0, of: 1, plan: "p", ranges: [[0, 0, 4]], whole: { tensors: 1, elements: 4 } };
const settings = { overflow: "ieee", seed: 0, strict: false, rate: "lr", learns: 0.5, keeps: 0.99 } as const;

const run = async (own: Part = part): Promise<Result> =>
  resultOf([await caseOf([1, -1, 2, 0.5], [2 ** -8, 0, 1, 2 ** -7])], { part: own });

async function sweep(own: Part = part, sampled = false): Promise<SweepResult> {
  const { cases, tool, input, engine, skipped } = await run();
  const cells = sweepCells({ cases }, 1);
  return {
    ...{ schema: "precision-lens-sweep/2", tool, input, settings, engine, rates: [1] },
    ...{ cells, ...sweepAnswers(cells, settings), skipped },
    part: { ...own, ...(sampled && { sizes: [8], cells: cases.map(({ tensors }) => tensors) }) },
  };
}

/** A comparison of which a merge reads no more than this. */
async function difference(own: Part = part): Promise<DifferenceResult> {
  const { tool, skipped } = await run();
  const tally = { elements: 4, unchanged: 4, distances: [], displacementSquared: [] };
  const bytes = { full: 0, gapValue: 0, maskValue: 0 };
  const sample = { chunks: 0, elements: 0, changed: 0, plain: bytes, gzip: bytes, zstd: bytes };
  const tensor = { name: "w", shape: [4], formats: { before: "bf16", after: "bf16", compared: "bf16" } };
  return {
    ...{ schema: "precision-lens-diff/2", tool, input: {}, settings: {}, unknown: {} },
    ...{ totals: { elements: 4 }, tensors: [tensor], skipped },
    delta: { sample, compressed: { zstdUnknown: null } },
    part: { ...own, counted: [{ tally, tells: { hidden: true, updates: false }, codeBits: null }] },
  } as unknown as DifferenceResult;
}

describe("shards of each kind of result", () => {
  it("have a sum of the same kind", async () => {
    const { cases, input } = mergeShards([await run()]);
    expect([cases[0].totals.lost, input.elements]).toEqual([1, 4]);
    const { cells, answers, rates } = mergeShards([await sweep()]);
    expect([cells[0].totals.lost, rates, answers.cases.length]).toEqual([1, [1], 1]);
    const { totals, tensors, schema } = mergeShards([await difference()]);
    expect([schema, totals.elements, totals.unchanged]).toEqual(["precision-lens-diff/2", 4, 4]);
    expect(tensors[0].name).toBe("w");
    expect(totals.tensors).toBe(summarizeDifference([]).totals.tensors + 1);
  });

  const kinds: [string, (own?: Part) => Promise<PartialResult>][] = [
    ["run", run],
    ["sweep", sweep],
    ["comparison", difference],
  ];

  it.each(kinds)("of a %s must have counted as many weights as their ranges are", async (_, made) => {
    const wrong = await made({ ...part, ranges: [[0, 0, 3]], whole: { tensors: 1, elements: 3 } });
    expect(() => new ShardMerger().add("a.json", wrong)).toThrow(
      "a.json: expected 3 weights, as its ranges are, found 4",
    );
  });

  it.each<[string, (own?: Part) => Promise<PartialResult>]>([
    kinds[0],
    ["sampled sweep", (own) => sweep(own, true)],
    kinds[2],
  ])("of a %s must list as many tensors as their ranges are", async (_, made) => {
    const ranges = [
      [0, 0, 2],
      [1, 0, 2],
    ] as const;
    const wrong = await made({ ...part, ranges, whole: { tensors: 2, elements: 4 } });
    expect(() => new ShardMerger().add("a.json", wrong)).toThrow(
      "a.json: expected 2 tensors, as its ranges are, found 1",
    );
  });

  it("of a comparison must have as many counts as tensors", async () => {
    const made = await difference();
    const wrong = { ...made, part: { ...made.part!, counted: [] } };
    expect(() => mergeShards([wrong])).toThrow("result 0: expected 1 tensors, as its ranges are, found 0");
  });

  it("are some at least", () => {
    expect(() => mergeShards([])).toThrow("merge: expected results of shards, found none");
    expect(() => mergeShards([], { partial: true })).toThrow(RangeError);
  });

  it("are the whole unless parts are asked for", async () => {
    const half = await run({ ...part, of: 2 });
    expect(() => mergeShards([half])).toThrow("missing: 1");
    const merged = mergeShards([half], { partial: true });
    expect(merged.part).toEqual({ ...part, of: 2, index: [0] });
    const merger = new ShardMerger();
    merger.add("a.json", half);
    expect(() => merger.end()).toThrow("missing: 1");
    expect(merger.end(true)).toEqual(merged);
  });
});
