import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import { countedCase } from "../../../src/lens/run/counted.js";
import { type CaseIdentity, summarizeCounted } from "../../../src/lens/run/summarize.js";
import { SharedTally } from "../../../src/lens/shared-tally.js";
import { endSums, MomentTally, Tally } from "../../../src/lens/tally.js";

const identity: CaseIdentity = {
  format: "mxfp8-e4m3",
  rounding: "nearest-even",
  scheme: "master",
  opmath: "fp32",
  recipe: { name: "a", of: "a test", verified: null },
};

/** A tally in which no two counts are alike, so that none can stand for another. */
function counted(from: number): Tally {
  let last = from;
  const next = () => (last += 1);
  const numbers = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, next()]));
  const tally = new Tally();
  Object.assign(tally, numbers("elements", "castChanged"));
  const { updates, end, probes, recipe } = tally;
  Object.assign(
    updates,
    numbers("none", "lost", "kept", "moved", "nonfinite", "collateral", "collateralZeros", "parted"),
  );
  Object.assign(
    end,
    numbers("unchanged", "neverUpdated", "cancelled", "hidden", "returned", "nonfinite", "parted"),
  );
  Object.assign(
    probes,
    numbers("pathNotTaken", "smallSubnetworks", "ulpRule", "ulpRuleMoved", "ulpRuleUnmoved"),
  );
  for (const name of ["updateSquared", "effectiveSquared", "product"] as const) updates[name].add(next());
  for (const name of endSums) {
    end[name].add(next());
    // A sum of two parts.
    end[name].add(2 ** -60);
  }
  for (const part of [updates, end]) {
    part.shared = new SharedTally();
    part.shared.merge(
      numbers("codes", "blocks", "blockScales", "tensors", "tensorScales", "bits") as unknown as SharedTally,
    );
  }
  Object.assign(updates.shared!, numbers("clipped", "flushed"));
  for (const [bin, className] of (["lost", "kept", "moved"] as const).entries()) {
    tally.histogram.add(className, bin - 5, next());
  }
  Object.assign(recipe.causes, numbers(...Object.keys(recipe.causes)));
  for (const name of ["m", "v"]) {
    recipe.mergeMoments([
      Object.assign(new MomentTally(name), numbers("none", "lost", "kept", "moved", "nonfinite")),
    ]);
  }
  return tally;
}

function summary(): Case {
  const [first, second] = [counted(100), counted(200)];
  const tensors = [
    { name: "a", shape: [3, 4], tally: first },
    { name: "b", shape: [], tally: second },
  ];
  const steps = [first, second].map(({ updates }, i) => ({ step: 7 + i, tally: updates }));
  const curve = [{ step: 8, elements: 42, end: second.end }];
  return summarizeCounted(identity, { tensors, steps, curve });
}

describe("counts that are restored from a summary", () => {
  it("have the same summary, every number of it", () => {
    const caseResult = summary();
    expect(summarizeCounted(identity, countedCase(caseResult))).toEqual(caseResult);
    const through = JSON.parse(JSON.stringify(caseResult));
    expect(summarizeCounted(identity, countedCase(through))).toEqual(caseResult);
  });

  it("of a result that did not compare recipes have none that part", () => {
    const { steps, ...rest } = summary();
    const [{ tally }] = countedCase({
      ...rest,
      steps: steps.map((step) => ({ ...step, parted: null })),
    }).steps;
    expect(tally.parted).toBeNull();
    expect(tally.none).toBe(steps[0].none);
  });

  it("do not know sums that an earlier release did not take, and know the others", () => {
    const { end, ...rest } = summary().tensors[0];
    const sums = { ...end.sums, retainedProduct: null, weightSquared: null };
    const [{ tally }] = countedCase({ ...summary(), tensors: [{ ...rest, end: { ...end, sums } }] }).tensors;
    expect([...tally.end.unknown]).toEqual(["retainedProduct", "weightSquared"]);
    expect(tally.end.noiseSquared.parts()).toEqual(end.sums.noiseSquared);
    expect(tally.end.retainedProduct.parts()).toEqual([]);
  });

  it("of a result from before scales were shared have none, and no other zeros than none", () => {
    const { collateral: _, zeros: __, shared: ___, ...then } = summary().steps[0];
    const [{ tally }] = countedCase({ ...summary(), steps: [then as Case["steps"][0]] }).steps;
    expect(tally).toMatchObject({ none: then.none, collateral: 0, collateralZeros: 0, shared: null });
  });

  it("of a result from before there were curves have no point of one", () => {
    const { curve: _, ...then } = summary();
    expect(countedCase(then as Case).curve).toEqual([]);
  });
});
