import { Histogram } from "../histogram.js";
import { mergedShared } from "../shared-tally.js";
import { ExactSum } from "../sum.js";
import { EndTally, endSums, MomentTally, Tally, UpdateTally } from "../tally.js";
import type { Case, End, LensCounts, UpdateCounts } from "./case.js";
import type { CountedCase } from "./summarize.js";

/** Restores counts from their summary. */
export function countedCase(caseResult: Case): CountedCase {
  const { tensors, steps } = caseResult;
  return {
    tensors: tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape, tally: tallyOf(tensor) })),
    steps: steps.map((counts) => ({ step: counts.step, tally: updateTallyOf(counts, counts.parted) })),
    curve: curveOf(caseResult).map(({ step, elements, ...end }) => ({
      step,
      elements,
      end: endTallyOf(end),
    })),
  };
}

/** Results that were saved before there were curves have none. */
export function curveOf({ curve }: Partial<Pick<Case, "curve">>) {
  return curve ?? [];
}

export function tallyOf({ totals, end, probes, histogram, causes, moments }: LensCounts): Tally {
  const tally = new Tally();
  tally.elements = totals.elements;
  tally.castChanged = totals.castChanged;
  tally.updates.merge(updateTallyOf(totals));
  tally.end.merge(endTallyOf(end));
  tally.probes.pathNotTaken = probes["path-not-taken"].unchanged;
  tally.probes.smallSubnetworks = probes["small-subnetworks"].unchanged;
  tally.probes.ulpRule = probes["ulp-rule"].lost;
  tally.probes.ulpRuleMoved = probes["ulp-rule"].lostButMoved;
  tally.probes.ulpRuleUnmoved = probes["ulp-rule"].visibleButUnmoved;
  tally.histogram.merge(Histogram.fromJSON(histogram));
  Object.assign(tally.recipe.causes, causes);
  tally.recipe.mergeMoments(moments.map((counts) => Object.assign(new MomentTally(counts.name), counts)));
  return tally;
}

function endTallyOf({ sums, unchanged, neverUpdated, cancelled, hidden, returned, ...rest }: End): EndTally {
  const { nonfinite, parted } = rest;
  const counts = { unchanged, neverUpdated, cancelled, hidden, returned, nonfinite, parted };
  const tally = Object.assign(new EndTally(), counts, { shared: mergedShared(null, rest.shared ?? null) });
  for (const name of endSums) {
    const parts = sums[name];
    if (parts === null) tally.unknown.add(name);
    else tally[name].addAll(ExactSum.of(parts));
  }
  return tally;
}

/** Restores update counts from their summary. */
export function updateTallyOf(counts: UpdateCounts, parted: number | null = null): UpdateTally {
  const tally = new UpdateTally();
  tally.parted = parted;
  tally.none = counts.none;
  tally.lost = counts.lost;
  tally.kept = counts.kept;
  tally.moved = counts.moved;
  tally.nonfinite = counts.nonfinite;
  // Results that were saved before scales were shared have neither.
  const { collateral = 0, zeros = counts.none }: Partial<UpdateCounts> = counts;
  tally.collateral = collateral;
  tally.collateralZeros = zeros - counts.none;
  tally.shared = mergedShared(null, counts.shared ?? null);
  tally.updateSquared.addAll(ExactSum.of(counts.sums.updateSquared));
  tally.effectiveSquared.addAll(ExactSum.of(counts.sums.effectiveSquared));
  tally.product.addAll(ExactSum.of(counts.sums.product));
  return tally;
}
