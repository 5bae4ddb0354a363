import { describe, expect, it } from "vitest";
import { lens } from "../../../src/engine/lens.js";
import type { Case } from "../../../src/lens/run/case.js";
import { mergeCases } from "../../../src/lens/run/merge.js";
import { SweepSum } from "../../../src/lens/shard/merge-sweep.js";
import type { Part, PartRange } from "../../../src/lens/shard/part.js";
import { type SweepResult, sweepAnswers, sweepCells } from "../../../src/lens/study/sweep.js";
import { resultOf } from "../../support/results.js";

/** Five tensors of four weights; all sums of their squares are exact, wherever they are cut. */
const names = ["a", "b", "c", "d", "e"];
const weights = [1, -2, 0.5, 1];
const updates = names.map((_, t) => weights.map((_, i) => ((i + t) % 2 ? 2 ** -8 : 0)));
const rates = [1, 4];
const schemes = ["in-place", "kahan"] as const;
type Scheme = (typeof schemes)[number];
const settings = {
  overflow: "ieee",
  seed: 0,
  strict: false,
  rate: "scale",
  learns: 0.5,
  keeps: 0.99,
} as const;
/** Of each tensor in the model that these are a sample of. */
const sizes = [8, 8, 8, 8, 12];

/** Elements of a tensor under a scheme at a rate. */
async function count(t: number, start: number, end: number, scheme: Scheme, rate: number): Promise<Case> {
  const data = Float32Array.from(weights.slice(start, end));
  const scaled = Float32Array.from(updates[t].slice(start, end), (update) => rate * update);
  const options = { format: "bf16", scheme, engine: "reference" };
  const caseResult = await lens({ format: "fp32", data }, scaled, options);
  const tensors = caseResult.tensors.map((tensor) => ({ ...tensor, name: names[t], shape: [4] }));
  return { ...caseResult, tensors };
}

const known = new Map<string, Promise<Case>>();

/** Each is counted once for all tests. */
function counted(...asked: Parameters<typeof count>): Promise<Case> {
  const found = known.get(asked.join()) ?? count(...asked);
  known.set(asked.join(), found);
  return found;
}

/** All cases at all rates over some ranges. */
function grid(ranges: readonly PartRange[]): Promise<{ rate: number; counts: Case }[]> {
  const cells = rates.flatMap((rate) => schemes.map((scheme) => ({ rate, scheme })));
  return Promise.all(
    cells.map(async ({ rate, scheme }) => ({
      rate,
      counts: mergeCases(
        await Promise.all(ranges.map(([t, start, end]) => counted(t, start, end, scheme, rate))),
      ),
    })),
  );
}

const { input, engine } = resultOf([await counted(0, 0, 4, "in-place", 1)]);
const all: PartRange[] = names.map((_, t) => [t, 0, 4]);

async function sweepOver(
  ranges: readonly PartRange[],
  part: Part | null,
  sampled: boolean,
): Promise<SweepResult> {
  const cells = await grid(ranges);
  const drawnFrom = part === null && sampled ? sizes : null;
  const summed = cells.flatMap(({ rate, counts }) => sweepCells({ cases: [counts] }, rate, drawnFrom));
  const elements = ranges.reduce((sum, [, start, end]) => sum + end - start, 0);
  return {
    schema: "precision-lens-sweep/2",
    tool: { name: "precision-lens", version: "0" },
    input: {
      ...input,
      weights: part === null ? "of 0" : `of ${part.index}`,
      tensors: ranges.length,
      elements,
    },
    settings,
    engine,
    rates,
    cells: summed,
    ...sweepAnswers(summed, settings),
    skipped: [{ name: "ids", reason: "integers" }],
    ...(part && {
      part: { ...part, ...(sampled && { sizes, cells: cells.map(({ counts }) => counts.tensors) }) },
    }),
  };
}

const cut: readonly PartRange[][] = [
  [
    [0, 0, 4],
    [1, 0, 4],
    [2, 0, 1],
  ],
  [
    [2, 1, 4],
    [3, 0, 4],
  ],
  [[4, 0, 4]],
];
const whole = { tensors: 5, elements: 20 };
const partOf = (index: number): Part => ({ index, of: 3, plan: "p", ranges: cut[index], whole });

/** The sum of some shards, in this order. */
async function sum(order: readonly number[], part: Part | null, sampled: boolean): Promise<SweepResult> {
  const total = new SweepSum();
  for (const index of order) {
    const result = await sweepOver(cut[index], partOf(index), sampled);
    total.add(result, result.part!);
  }
  return total.end(part);
}

/** Of three shards, or of so many. */
const engineOf = (shards: number) => ({ ...engine, parts: [{ ...engine, shards }] });

describe("a sweep of shards", () => {
  it.each([[[0, 1, 2]], [[2, 0, 1]]])("is the sweep of one machine, in the order %j too", async (order) => {
    const expected = { ...(await sweepOver(all, null, false)), engine: engineOf(3) };
    const merged = await sum(order, null, false);
    expect(merged).toEqual(expected);
    expect(Object.keys(merged)).toEqual(Object.keys(expected));
    // Some keep their updates and some do not.
    expect(new Set(expected.answers.cases.map(({ keepsFrom }) => keepsFrom)).size).toBeGreaterThan(1);
  });

  it("of a sampled model has the standard errors of the whole sample", async () => {
    const merged = await sum([1, 2, 0], null, true);
    expect(merged).toEqual({ ...(await sweepOver(all, null, true)), engine: engineOf(3) });
    expect(merged.cells.every(({ standardError }) => standardError !== null)).toBe(true);
  });

  it("of which some are missing is a part, with the tensors of its cells where it is a sample", async () => {
    const part: Part = { ...partOf(0), index: [0, 2], ranges: [...cut[0], ...cut[2]] };
    const expected = await sweepOver(part.ranges, null, false);
    const input = { ...expected.input, tensors: 4, elements: 13 };
    const merged = await sum([2, 0], part, false);
    expect(merged).toEqual({ ...expected, input, part, engine: engineOf(2) });
    const sampled = await sum([2, 0], { ...part, sizes }, true);
    const tensors = (await grid(part.ranges)).map(({ counts }) => counts.tensors);
    expect(sampled).toEqual({
      ...expected,
      input,
      part: { ...part, sizes, cells: tensors },
      engine: engineOf(2),
    });
  });

  it("has no standard errors where some are missing: the tensors that are there are no sample of the model", async () => {
    const part: Part = { ...partOf(0), index: [0, 1], ranges: [...cut[0], ...cut[1]], sizes };
    // Four tensors alike would be enough.
    const merged = await sum([0, 1], part, true);
    expect(merged.part!.cells![0]).toHaveLength(4);
    expect(merged.cells.map(({ standardError }) => standardError)).toEqual([null, null, null, null]);
  });

  it("adds up casts, and has none without", async () => {
    const cast = (elements: number) => ({
      ...{ format: "e5m2", minNormal: 2 ** -14, elements, belowNormal: 0, zero: 0 },
    });
    const total = new SweepSum();
    for (const index of [0, 1]) {
      const result = await sweepOver(cut[index], partOf(index), false);
      total.add({ ...result, casts: [cast(index + 4)] }, result.part!);
    }
    expect(total.end(null).casts).toEqual([cast(9)]);
    expect("casts" in (await sum([0], null, false))).toBe(false);
  });
});
