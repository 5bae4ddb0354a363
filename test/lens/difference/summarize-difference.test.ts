import { describe, expect, it } from "vitest";
import { DifferenceTally } from "../../../src/lens/difference/difference.js";
import {
  type CountedPair,
  countedOf,
  summarizeDifference,
} from "../../../src/lens/difference/summarize-difference.js";
import { SharedTally } from "../../../src/lens/shared-tally.js";

const q0 = "model.layers.0.self_attn.q_proj.weight";
const up10 = "model.layers.10.mlp.up_proj.weight";
const up2 = "model.layers.2.mlp.up_proj.weight";
const audio = "audio_tower.layers.2.fc1.weight";

/** Ten weights: one not finite, six unchanged of which two are hidden, three changed. */
const counts = {
  elements: 10,
  nonfinite: 1,
  nonfiniteChanged: 1,
  unchanged: 6,
  bytesChanged: 5,
  hidden: 2,
  neverUpdated: 3,
  signFlips: 1,
  pathNotTaken: 7,
  smallSubnetworks: 8,
};

function pair(name: string, changes: Partial<CountedPair> = {}, more: object = counts): CountedPair {
  const tally = Object.assign(new DifferenceTally(), more);
  tally.distances[2] = 3;
  tally.displacementSquared.add(9);
  const formats = { before: "fp32", after: "bf16", compared: "bf16" };
  return { name, shape: [2, 5], formats, tells: { hidden: true, updates: true }, tally, ...changes };
}

/** By hand, from the definitions in difference-result.ts. */
const summary = {
  ...{ elements: 10, nonfinite: 1, nonfiniteChanged: 1, unchanged: 6, changed: 3, bytesChanged: 5 },
  apparentSparsity: 6 / 9,
  ...{ hidden: 2, neverUpdated: 3, signFlips: 1 },
  realSparsity: 3 / 9,
  realSparsityAtMost: 4 / 9,
  probes: {
    "path-not-taken": { unchanged: 7, share: 7 / 9, unchangedButDiffers: 1 },
    "small-subnetworks": { unchanged: 8, share: 8 / 9, unchangedButDiffers: 2 },
  },
  ulps: [0, 0, 3],
  displacementNorm: 3,
  sums: { displacementSquared: [9] },
};

describe("the summary of a comparison", () => {
  it("gives of a tensor its place in the model, its formats and shares by their definitions", () => {
    const { tensors, totals } = summarizeDifference([pair(q0)]);
    expect(tensors).toEqual([
      {
        ...{ name: q0, shape: [2, 5], kind: "q", stack: "model.layers", layer: 0 },
        formats: { before: "fp32", after: "bf16", compared: "bf16" },
        whollyUnchanged: false,
        ...summary,
      },
    ]);
    expect(totals).toEqual({ tensors: 1, tensorsUnchanged: 0, ...summary });
  });

  it("adds up all tensors, by kind in the order of the kinds, and by layer in the order of the stacks", () => {
    const { totals, kinds, layers } = summarizeDifference(
      [up10, audio, q0, up2, "norm.weight"].map((name) => pair(name)),
    );
    expect(totals).toMatchObject({
      tensors: 5,
      elements: 50,
      changed: 15,
      ulps: [0, 0, 15],
      displacementNorm: 45 ** 0.5,
    });
    expect(kinds.map(({ kind, tensors, elements }) => [kind, tensors, elements])).toEqual([
      ["q", 1, 10],
      ["up", 2, 20],
      ["norm", 1, 10],
      ["audio", 1, 10],
    ]);
    expect(layers.map(({ stack, layer, tensors }) => [stack, layer, tensors])).toEqual([
      ["model.layers", 0, 1],
      ["model.layers", 2, 1],
      ["model.layers", 10, 1],
      ["audio_tower.layers", 2, 1],
    ]);
    expect(kinds[1]).toMatchObject({ unchanged: 12, apparentSparsity: 12 / 18, realSparsity: 6 / 18 });
  });

  it("maps the sparsity of each layer by kind; null where a layer has no such module", () => {
    const same = { ...counts, unchanged: 9 };
    const pairs = [
      pair(up10),
      pair(q0),
      pair(up2, {}, same),
      pair("model.layers.2.mlp.up_proj.bias"),
      pair(audio),
    ];
    expect(summarizeDifference(pairs).heatmaps).toEqual([
      {
        ...{ stack: "model.layers", layers: [0, 2, 10], kinds: ["q", "up"] },
        apparentSparsity: [
          [6 / 9, null],
          [null, 15 / 18],
          [null, 6 / 9],
        ],
      },
      { stack: "audio_tower.layers", layers: [2], kinds: ["audio"], apparentSparsity: [[6 / 9]] },
    ]);
  });

  it("has no shares of nothing", () => {
    const { totals, ...lists } = summarizeDifference([]);
    expect(totals).toMatchObject({
      tensors: 0,
      tensorsUnchanged: 0,
      elements: 0,
      ulps: [],
      displacementNorm: 0,
    });
    expect(totals).toMatchObject({ apparentSparsity: null, realSparsity: null, realSparsityAtMost: null });
    expect(totals.probes["path-not-taken"]).toEqual({ unchanged: 0, share: null, unchangedButDiffers: 0 });
    expect(lists).toEqual({ kinds: [], layers: [], heatmaps: [], tensors: [] });
    expect("casts" in lists).toBe(false);
  });
});

describe("what the files do not tell", () => {
  it.each<[string, CountedPair["tells"], object]>([
    ["what rounding hides", { hidden: false, updates: true }, { hidden: null, realSparsityAtMost: 6 / 9 }],
    ["updates", { hidden: true, updates: false }, { neverUpdated: null, realSparsity: null }],
    [
      "that a change was an update",
      { hidden: true, updates: true, bound: false },
      { realSparsityAtMost: null },
    ],
    ["nothing but that it was", { hidden: true, updates: true, bound: true }, {}],
  ])("is null of a tensor and of all that has it: %s", (_, tells, unknown) => {
    const { tensors, totals, kinds } = summarizeDifference([pair(q0, { tells }), pair(up2)]);
    expect(tensors[0]).toMatchObject({ ...summary, ...unknown });
    expect(tensors[1]).toMatchObject(summary);
    for (const [name, value] of Object.entries(unknown)) {
      const expected = value === null ? null : 12 / 18;
      expect((totals as unknown as Record<string, unknown>)[name]).toBe(expected);
    }
    expect(kinds[1]).toMatchObject(summary);
  });

  it("is what a merge is told, and no more", () => {
    const tells = { hidden: false, updates: true, bound: false, other: 1 };
    const { tally } = pair(q0);
    expect(countedOf({ tally, tells, codeBits: 4 })).toEqual({
      tally: tally.toJSON(),
      tells: { hidden: false, updates: true, bound: false },
      codeBits: 4,
    });
    const told = countedOf({ tally, tells: { hidden: true, updates: false }, codeBits: null });
    expect(Object.keys(told.tells)).toEqual(["hidden", "updates"]);
  });
});

describe("a tensor is wholly unchanged", () => {
  const same = { elements: 4, unchanged: 4, bytesChanged: 0 };

  it.each<[boolean, string, object]>([
    [true, "where no byte changed", same],
    [true, "of NaN and Inf too", { elements: 4, nonfinite: 4 }],
    [false, "not where a byte did, though all numbers are the same", { ...same, bytesChanged: 1 }],
    [false, "not where a code did", { ...same, codesChanged: 1 }],
    [false, "not where a scale did", { ...same, scalesChanged: 1 }],
    [false, "not where it has no elements", { elements: 0 }],
  ])("%s: %s", (expected, _, more) => {
    const { tensors, totals } = summarizeDifference([pair(q0, {}, more), pair(up2)]);
    expect(tensors.map(({ whollyUnchanged }) => whollyUnchanged)).toEqual([expected, false]);
    expect(totals.tensorsUnchanged).toBe(expected ? 1 : 0);
  });
});

describe("codes, scales and casts", () => {
  it("of codes with scales are told by code and by scale, absent where there are none", () => {
    const codes = { codes: 8, codesChanged: 3, changedByScale: 2, scales: 4, scalesChanged: 1 };
    const { tensors, totals } = summarizeDifference([pair(q0, {}, { ...counts, ...codes }), pair(up2)]);
    const told = { elements: 8, changed: 3, changedByScale: 2, scales: 4, scalesChanged: 1 };
    expect([tensors[0].codes, totals.codes]).toEqual([told, told]);
    expect("codes" in tensors[1]).toBe(false);
  });

  it("of shared scales are told beside the numbers that changed, by which probes are judged", () => {
    const shared = Object.assign(new SharedTally(), { codes: 1, blocks: 2, blockScales: 1, bits: 12 });
    const { tensors } = summarizeDifference([
      pair(q0, {}, { ...counts, shared, numbersChanged: 5 }),
      pair(up2),
    ]);
    expect(tensors[0].shared).toEqual({
      ...{ codes: 1, blocks: 2, blockScales: 1, tensors: 0, tensorScales: 0, bits: 12 },
      numbers: 5,
    });
    // Four of nine numbers are the same.
    expect(tensors[0].probes["path-not-taken"]).toEqual({
      unchanged: 7,
      share: 7 / 9,
      unchangedButDiffers: 3,
    });
    expect("shared" in tensors[1]).toBe(false);
  });

  it("of casts are added up by the compared format, in the order of the tensors", () => {
    const cast = (compared: string, n: number) =>
      pair(
        q0,
        { formats: { before: "fp32", after: "fp32", compared } },
        {
          ...counts,
          ...{ cast: n, castBelowNormal: n - 1, castZero: n - 2 },
        },
      );
    const none = pair(up2);
    expect(summarizeDifference([cast("e5m2", 4), none, cast("e4m3fn", 5), cast("e5m2", 6)]).casts).toEqual([
      { format: "e5m2", minNormal: 2 ** -14, elements: 10, belowNormal: 8, zero: 6 },
      { format: "e4m3fn", minNormal: 2 ** -6, elements: 5, belowNormal: 4, zero: 3 },
    ]);
  });
});
