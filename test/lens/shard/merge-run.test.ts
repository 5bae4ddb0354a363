import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import type { Result } from "../../../src/lens/run/result.js";
import { RunSum } from "../../../src/lens/shard/merge-run.js";
import type { Part, PartRange } from "../../../src/lens/shard/part.js";
import { samplingOf } from "../../../src/lens/study/sampling.js";
import { caseOf, renamed, resultOf } from "../../support/results.js";

const ranges: readonly PartRange[] = [
  [0, 0, 4],
  [1, 0, 4],
];
const sizes = [40, 80];
const counted = Promise.all(
  ["a", "b"].map(async (name) => renamed(await caseOf([1, -1, 2, 0.5], [2 ** -8, 0, 1, 2 ** -7]), name)),
);
const firstShown = [{ case: 0, binades: [] }];

/** One of two shards, each of a tensor. */
async function shard(index: 0 | 1, changes: Partial<Result> = {}, sampled = false): Promise<Result> {
  const part: Part = {
    ...{ index, of: 2, plan: "p", ranges: [ranges[index]], whole: { tensors: 2, elements: 8 } },
    ...(sampled && { sizes }),
  };
  const result = resultOf([(await counted)[index]], { part, ...changes });
  return { ...result, input: { ...result.input, weights: `weights of ${index}` } };
}

function sum(results: readonly Result[], part: Part | null = null): Result {
  const total = new RunSum();
  for (const result of results) total.add(result, result.part!);
  return total.end(part);
}

/** A cast of so many weights. */
const cast = (elements: number) => ({
  ...{ format: "e5m2", minNormal: 2 ** -14, elements, belowNormal: 1, zero: 0 },
});

describe("a run of shards", () => {
  it("has the tensors in their order, and takes what all have alike from the least shard", async () => {
    const shards = [await shard(0), await shard(1)];
    for (const order of [shards, shards.toReversed()]) {
      const merged = sum(order);
      expect(merged.cases[0].tensors).toEqual((await counted).flatMap(({ tensors }) => tensors));
      expect(merged.cases[0].totals).toMatchObject({ elements: 8, none: 2, lost: 2, moved: 4 });
      expect(merged.input).toEqual({ ...shards[0].input, tensors: 2, elements: 8 });
      expect(Object.keys(merged)).toEqual([
        "schema",
        "tool",
        "input",
        "settings",
        "engine",
        "cases",
        "skipped",
      ]);
    }
  });

  it("that are a sample of a model has estimates for it; some shards are no sample", async () => {
    const shards = [await shard(1, {}, true), await shard(0, {}, true)];
    const merged = sum(shards);
    expect(merged.sampling).toEqual(samplingOf(merged.cases, sizes));
    expect(merged.sampling!.parameters).toBe(120);
    expect(merged.part).toBeUndefined();
    const some = sum(shards.slice(0, 1), shards[0].part!);
    expect("sampling" in some).toBe(false);
    expect(some.part).toEqual(shards[0].part);
  });

  it("has the steps at which weights first show from the shard that counted them", async () => {
    const [first, second] = [await shard(0, { firstShown }), await shard(1)];
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      expect(sum(order).firstShown).toEqual(firstShown);
    }
    const other = [{ case: 1, binades: [] }];
    expect(sum([first, await shard(1, { firstShown: other })]).firstShown).toEqual(firstShown);
    expect("firstShown" in sum([second])).toBe(false);
  });

  it("adds up casts", async () => {
    const shards = [await shard(0, { casts: [cast(3)] }), await shard(1, { casts: [cast(4)] })];
    expect(sum(shards).casts).toEqual([{ ...cast(7), belowNormal: 2 }]);
  });

  it("adds up the curve point by point, and keeps what identifies a case", async () => {
    const withCurve = ({ end, ...caseResult }: Case): Case => ({
      ...{ ...caseResult, end, through: "bf16", scales: "kept" },
      curve: [{ step: 0, elements: 4, ...end }],
    });
    const cases = (await counted).map(withCurve);
    const merged = sum([await shard(0, { cases: [cases[0]] }), await shard(1, { cases: [cases[1]] })]);
    const { curve, end, through, scales } = merged.cases[0];
    expect(curve).toEqual([{ step: 0, elements: 8, ...end }]);
    expect([through, scales]).toEqual(["bf16", "kept"]);
  });
});
