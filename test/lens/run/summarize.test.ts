import { describe, expect, it } from "vitest";
import {
  type CaseIdentity,
  sharedIdentityOf,
  summarizeCase,
  summarizeCounted,
} from "../../../src/lens/run/summarize.js";
import { SharedTally } from "../../../src/lens/shared-tally.js";
import { MomentTally, Tally } from "../../../src/lens/tally.js";
import { type BlockOptions, schemeSettings } from "../../../src/update/block-settings.js";
import { recipeSettings } from "../../../src/update/optimizer.js";
import { updateSettings } from "../../../src/update/settings.js";

const identity: CaseIdentity = {
  format: "bf16",
  rounding: "nearest-even",
  scheme: "kahan",
  opmath: "fp32",
  recipe: null,
};
const recipe = { name: "kahan", of: "a test", verified: null };

/** Sums whose roots and quotients are exact. */
function counted(): Tally {
  const tally = new Tally();
  tally.elements = 20;
  tally.castChanged = 3;
  Object.assign(tally.updates, { none: 4, lost: 3, kept: 8, moved: 1, nonfinite: 6, parted: 5 });
  tally.updates.updateSquared.add(16);
  tally.updates.effectiveSquared.add(4);
  tally.updates.product.add(2);
  const { end, probes } = tally;
  const ends = {
    unchanged: 9,
    neverUpdated: 2,
    cancelled: 1,
    hidden: 6,
    returned: 7,
    nonfinite: 4,
    parted: 8,
  };
  Object.assign(end, ends);
  end.displacementSquared.add(8);
  end.product.add(6);
  end.retainedProduct.add(7);
  end.noiseSquared.add(2);
  end.weightSquared.add(200);
  Object.assign(probes, {
    pathNotTaken: 12,
    smallSubnetworks: 14,
    ulpRule: 6,
    ulpRuleMoved: 1,
    ulpRuleUnmoved: 2,
  });
  tally.histogram.add("moved", 2, 1);
  tally.recipe.causes.epsilon = 11;
  tally.recipe.mergeMoments([
    Object.assign(new MomentTally("m"), { none: 1, lost: 2, kept: 3, moved: 4, nonfinite: 5 }),
  ]);
  return tally;
}

/** By hand, from the definitions in result.ts. */
const updates = {
  none: 4,
  lost: 3,
  kept: 8,
  moved: 1,
  collateral: 0,
  nonfinite: 6,
  zeros: 4,
  realSparsity: 4 / 16,
  apparentSparsity: 15 / 16,
  hiddenShare: 11 / 12,
  updateNorm: 4,
  effectiveNorm: 2,
  effectiveDescent: 0.125,
  sums: { updateSquared: [16], effectiveSquared: [4], product: [2] },
};
const counts = {
  totals: { elements: 20, steps: 1, castChanged: 3, ...updates },
  end: {
    unchanged: 9,
    neverUpdated: 2,
    cancelled: 1,
    hidden: 6,
    returned: 7,
    nonfinite: 4,
    parted: 8,
    visible: 0.75,
    retained: 0.875,
    noise: 0.5,
    noiseToWeight: 0.1,
    sums: {
      displacementSquared: [8],
      product: [6],
      retainedProduct: [7],
      noiseSquared: [2],
      weightSquared: [200],
    },
  },
  probes: {
    "path-not-taken": { unchanged: 12, share: 0.75, unchangedButDiffers: 3 },
    "small-subnetworks": { unchanged: 14, share: 0.875, unchangedButDiffers: 5 },
    "ulp-rule": { lost: 6, share: 0.5, lostButMoved: 1, visibleButUnmoved: 2, disagreement: 0.25 },
  },
  histogram: { firstBin: 2, lost: [0], kept: [0], moved: [1] },
  causes: null,
  moments: [{ name: "m", none: 1, lost: 2, kept: 3, moved: 4, nonfinite: 5 }],
};

describe("summarizeCounted", () => {
  it("gives shares and norms by their definitions, of each tensor, of each step and of all", () => {
    const tally = counted();
    const tensors = [{ name: "w", shape: [4, 5], tally }];
    const steps = [{ step: 7, tally: tally.updates }];
    const curve = [{ step: 4, elements: 20, end: tally.end }];
    expect(summarizeCounted(identity, { tensors, steps, curve })).toEqual({
      ...identity,
      ...counts,
      steps: [{ step: 7, parted: 5, ...updates }],
      curve: [{ step: 4, elements: 20, ...counts.end }],
      tensors: [{ name: "w", shape: [4, 5], ...counts }],
    });
  });

  it("tells causes for recipes only", () => {
    const content = { tensors: [{ name: "w", shape: [20], tally: counted() }], steps: [], curve: [] };
    const summary = summarizeCounted({ ...identity, recipe }, content);
    const causes = { gradient: 0, weightDecay: 0, momentUnderflow: 0, epsilon: 11, storage: 0 };
    expect(summary.causes).toEqual(causes);
    expect(summary.tensors[0].causes).toEqual(causes);
  });

  it("has no share of nothing", () => {
    const empty = summarizeCounted(identity, { tensors: [], steps: [], curve: [] });
    const { totals, end, probes } = empty;
    expect(totals).toMatchObject({ realSparsity: null, apparentSparsity: null, hiddenShare: null });
    expect(totals).toMatchObject({ effectiveDescent: null, updateNorm: 0 });
    expect(end).toMatchObject({ visible: null, retained: null, noise: null, noiseToWeight: null });
    expect(probes["path-not-taken"]).toEqual({ unchanged: 0, share: null, unchangedButDiffers: 0 });
    expect(probes["ulp-rule"]).toMatchObject({ share: null, disagreement: null });
    expect(empty).toMatchObject({ moments: [], tensors: [], steps: [], curve: [] });
  });
});

describe("sums that were not taken", () => {
  const end = (...unknown: ("retainedProduct" | "noiseSquared" | "weightSquared")[]) => {
    const tally = counted();
    for (const name of unknown) tally.end.unknown.add(name);
    return summarizeCounted(identity, { tensors: [{ name: "w", shape: [20], tally }], steps: [], curve: [] })
      .end;
  };

  it("leave unknown what is made of them, and nothing else", () => {
    expect(end()).toEqual(counts.end);
    const { sums } = counts.end;
    expect(end("retainedProduct")).toEqual({
      ...{ ...counts.end, retained: null },
      sums: { ...sums, retainedProduct: null },
    });
    expect(end("noiseSquared")).toEqual({
      ...{ ...counts.end, noise: null, noiseToWeight: null },
      sums: { ...sums, noiseSquared: null },
    });
    expect(end("weightSquared")).toEqual({
      ...{ ...counts.end, noiseToWeight: null },
      sums: { ...sums, weightSquared: null },
    });
  });
});

describe("shared scales", () => {
  const changed = { codes: 5, blocks: 9, blockScales: 2, tensors: 1, tensorScales: 1, bits: 68 };
  const fit = { clipped: 3, flushed: 4 };
  const shared = Object.assign(new SharedTally(), changed, fit);

  it("are counted in steps with how numbers fit them, at the end without", () => {
    const tally = counted();
    tally.updates.shared = shared;
    tally.end.shared = shared;
    const tensors = [{ name: "w", shape: [20], tally }];
    const curve = [{ step: 7, elements: 20, end: tally.end }];
    const found = summarizeCounted(identity, { tensors, steps: [{ step: 7, tally: tally.updates }], curve });
    expect(found.totals.shared).toEqual({ ...changed, ...fit });
    expect(found.steps[0].shared).toEqual({ ...changed, ...fit });
    for (const end of [found.end, found.curve[0], found.tensors[0].end]) expect(end.shared).toEqual(changed);
  });

  it("add their zeros and what they changed alone to the shares of updates and of the ulp rule", () => {
    const tally = counted();
    Object.assign(tally.updates, { collateral: 4, collateralZeros: 2 });
    const tensors = [{ name: "w", shape: [20], tally }];
    const { totals, probes } = summarizeCounted(identity, { tensors, steps: [], curve: [] });
    // 4 none, 3 lost, 8 kept, 1 moved and 4 collateral, of which 2 had updates of zero.
    expect(totals).toMatchObject({
      collateral: 4,
      zeros: 6,
      realSparsity: 6 / 20,
      apparentSparsity: 15 / 20,
    });
    expect(totals.hiddenShare).toBe(11 / 14);
    expect(probes["ulp-rule"]).toMatchObject({ share: 6 / 14, disagreement: 3 / 14 });
  });
});

describe("what identifies a case", () => {
  it.each<[string, BlockOptions, object]>([
    ["a master", { format: "mxfp8-e4m3", scheme: "master" }, {}],
    [
      "a master through bf16",
      { format: "mxfp8-e4m3", scheme: "master", through: "bf16" },
      { through: "bf16" },
    ],
    ["scales of the start", { format: "mxfp8-e4m3", scales: "kept" }, { scales: "kept" }],
    ["momentum that takes the errors", { format: "mxfp4", scheme: "eco", momentum: 0.5 }, { momentum: 0.5 }],
    // No momentum is one: errors come back at once.
    ["momentum of zero", { format: "mxfp4", scheme: "eco", momentum: 0 }, { momentum: 0 }],
  ])("with shared scales tells %s", (_, options, more) => {
    const settings = schemeSettings(options);
    const {
      format,
      rounding,
      scheme,
      opmath,
      recipe: none,
      ...rest
    } = summarizeCase({
      settings,
      ...{ tensors: [], steps: [], curve: [] },
    });
    // The name of the format with its scales, not that of its elements.
    expect({ format, scheme }).toEqual({ format: options.format, scheme: options.scheme ?? "in-place" });
    expect({ rounding, opmath, none }).toEqual({ rounding: "nearest-even", opmath: "fp32", none: null });
    const { through, scales, momentum } = rest;
    expect(JSON.parse(JSON.stringify({ through, scales, momentum }))).toEqual(more);
    for (const name of ["through", "scales", "momentum"]) expect(name in rest).toBe(name in more);
    expect(sharedIdentityOf(rest)).toEqual(more);
  });

  it("is only what it has", () => {
    expect(Object.keys(sharedIdentityOf({ through: "bf16" }))).toEqual(["through"]);
    expect(Object.keys(sharedIdentityOf({}))).toEqual([]);
  });
});

describe("summarizeCase", () => {
  const none = { tensors: [], steps: [], curve: [] };

  it("names the case by its settings", () => {
    const settings = updateSettings({ format: "fp16", rounding: "to-odd", scheme: "kahan", opmath: "exact" });
    const { format, rounding, scheme, opmath, recipe: summarized } = summarizeCase({ settings, ...none });
    expect({ format, rounding, scheme, opmath, of: summarized }).toEqual({
      format: "fp16",
      rounding: "to-odd",
      scheme: "kahan",
      opmath: "exact",
      of: null,
    });
  });

  it("tells of a recipe what it stands for, not its lines", () => {
    const settings = recipeSettings("lion", "master", { format: "bf16", lr: 1 });
    const summary = summarizeCase({ settings, ...none });
    expect(summary).toMatchObject({ format: "bf16", scheme: "master" });
    expect(summary.recipe).toEqual({
      name: "master",
      of: "fp32 master and states, weights stored from the master",
      verified: "by definition",
    });
  });
});
