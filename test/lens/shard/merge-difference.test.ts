import { describe, expect, it } from "vitest";
import { format } from "../../../src/format/registry.js";
import { deltaCosts, sentOf } from "../../../src/lens/difference/delta.js";
import { compareNumbers, DifferenceTally } from "../../../src/lens/difference/difference.js";
import type {
  BytesOfTensor,
  DeltaSample,
  DifferenceResult,
} from "../../../src/lens/difference/difference-result.js";
import { countedOf, summarizeDifference } from "../../../src/lens/difference/summarize-difference.js";
import { DifferenceSum } from "../../../src/lens/shard/merge-difference.js";
import type { Part, PartRange } from "../../../src/lens/shard/part.js";

/** Three tensors of eight numbers, each of which moves by a power of two or stays: sums of squares are exact. */
const names = ["model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight", "lm_head.weight"];
const before = [1, -1, 0.5, 2, 4, 0.25, 0, 1];
const after = names.map((_, t) => before.map((x, i) => ((i + t) % 3 === 0 ? x + 2 ** -(t + i) : x)));
/** Codes of twelve bits, whose scales were compared with the first piece. */
const codes = {
  codes: 8,
  codesChanged: 3,
  changedByScale: 1,
  scales: 2,
  scalesChanged: 1,
  scaleBytes: 4,
  scaleBytesChanged: 2,
};

function countedPair([t, start, end]: PartRange) {
  const tally = new DifferenceTally();
  const numbers = { before: Float64Array.from(before), after: Float64Array.from(after[t]) };
  const piece = { before: numbers.before.subarray(start, end), after: numbers.after.subarray(start, end) };
  compareNumbers(piece, format("bf16"), tally);
  if (t === 2 && start === 0) Object.assign(tally, codes);
  return {
    name: names[t],
    shape: [2, 4],
    formats: { before: "fp32", after: "bf16", compared: "bf16" },
    tells: { hidden: true, updates: false, ...(t === 2 && { bound: false }) },
    codeBits: t === 2 ? 12 : null,
    tally,
  };
}

/** What was sampled in a shard. */
const sampled = (n: number, zstd: boolean): DeltaSample => {
  const bytes = (by: number) => ({ full: 8 * n * by, gapValue: 3 * n * by, maskValue: 2 * n * by });
  return {
    ...{ chunks: n, elements: 10 * n, changed: n },
    ...{ plain: bytes(4), gzip: bytes(2), zstd: zstd ? bytes(1) : null },
  };
};

interface Sampled {
  readonly sample: DeltaSample;
  readonly zstdUnknown?: string | null;
}

function resultOver(
  ranges: readonly PartRange[],
  part: Part | null,
  { sample, zstdUnknown = null }: Sampled,
  byBytes: readonly BytesOfTensor[] = [],
): DifferenceResult {
  const pairs = ranges.filter(([t]) => t < names.length).map(countedPair);
  const summary = summarizeDifference(pairs);
  const sent = summary.tensors.map((tensor, i) => sentOf(tensor, pairs[i].tally, pairs[i].codeBits));
  const side = (path: string) => ({ path, kind: "checkpoint" }) as const;
  return {
    schema: "precision-lens-diff/2",
    tool: { name: "precision-lens", version: "0" },
    input: { before: side("a"), after: side(part === null ? "b of 0" : `b of ${part.index}`) },
    settings: { view: null, strict: false, seed: 0 },
    unknown: { hidden: null, realSparsity: "no updates" },
    ...summary,
    delta: deltaCosts(sent, sample, zstdUnknown),
    ...(byBytes.length > 0 && { byBytes }),
    skipped: [{ name: "ids", reason: "integers" }],
    ...(part && { part: { ...part, counted: pairs.map(countedOf) } }),
  };
}

const cut: readonly PartRange[][] = [
  [
    [0, 0, 8],
    [1, 0, 3],
  ],
  [[1, 3, 8]],
  [
    [2, 0, 8],
    [3, 0, 5],
    [4, 0, 2],
  ],
];
const partOf = (index: number): Part => {
  return { index, of: 3, plan: "p", ranges: cut[index], whole: { tensors: 3, elements: 24 } };
};
const bytes = ["positions", "mask"].map((name, i): BytesOfTensor => {
  return { name, dtype: "I64", shape: [5 - 3 * i], elements: 5 - 3 * i, changed: i };
});
const shard = (index: number, of: Sampled = { sample: sampled(index + 1, true) }) =>
  resultOver(cut[index], partOf(index), of, index === 2 ? bytes : []);

function sum(results: readonly DifferenceResult[], part: Part | null = null): DifferenceResult {
  const total = new DifferenceSum();
  for (const result of results) total.add(result, result.part!);
  return total.end(part);
}

const everything: PartRange[] = names.map((_, t) => [t, 0, 8]);

describe("a comparison of shards", () => {
  it.each([[[0, 1, 2]], [[2, 0, 1]], [[1, 2, 0]]])("is that of one machine, in the order %j too", (order) => {
    const expected = resultOver(everything, null, { sample: sampled(6, true) }, bytes);
    const merged = sum(order.map((index) => shard(index)));
    expect(merged).toEqual(expected);
    expect(Object.keys(merged)).toEqual(Object.keys(expected));
    // A tensor was compared in two pieces, and moved in both.
    expect(
      cut.slice(0, 2).map((ranges) => resultOver(ranges, null, { sample: sampled(1, true) }).totals.changed),
    ).toEqual([4, 1]);
    expect(merged.tensors[1].changed).toBe(2);
    expect(merged.totals.codes).toEqual({
      elements: 8,
      changed: 3,
      changedByScale: 1,
      scales: 2,
      scalesChanged: 1,
    });
  });

  it("adds up what was sampled", () => {
    expect(sum([shard(0), shard(1)]).delta.sample).toEqual({
      ...{ chunks: 3, elements: 30, changed: 3 },
      plain: { full: 96, gapValue: 36, maskValue: 24 },
      gzip: { full: 48, gapValue: 18, maskValue: 12 },
      zstd: { full: 24, gapValue: 9, maskValue: 6 },
    });
  });

  it("does not know of zstd what one of them does not, and gives the first reason", () => {
    for (const [first, second] of [
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const merged = sum([
        shard(0, { sample: sampled(1, first), zstdUnknown: first ? null : "no zstd in this Node" }),
        shard(1, { sample: sampled(1, second), zstdUnknown: second ? null : "another reason" }),
      ]);
      expect(merged.delta.sample.zstd).toBeNull();
      expect(merged.delta.compressed).toMatchObject({
        zstd: null,
        zstdUnknown: first ? "another reason" : "no zstd in this Node",
      });
    }
  });

  it("of which some are missing is a part, with the counts of its tensors for what is merged later", () => {
    const part: Part = { ...partOf(0), index: [0, 2], ranges: [...cut[0], ...cut[2]] };
    const expected = resultOver(part.ranges, null, { sample: sampled(4, true) }, bytes);
    const merged = sum([shard(2), shard(0)], part);
    const counted = part.ranges.filter(([t]) => t < 3).map((range) => countedOf(countedPair(range)));
    expect(merged).toEqual({ ...expected, input: shard(0).input, part: { ...part, counted } });
    expect(sum([merged, shard(1)])).toEqual({
      ...resultOver(everything, null, { sample: sampled(6, true) }, bytes),
      input: shard(0).input,
    });
  });

  it("without a tensor that is compared by bytes has none", () => {
    expect("byBytes" in sum([shard(0), shard(1)])).toBe(false);
    expect(sum([shard(2)]).byBytes).toEqual(bytes);
  });
});
