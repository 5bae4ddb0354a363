import type { UpdateSettings } from "../update/settings.js";
import type { Case, End, LensCounts, Probes, StepCounts, TensorCounts, UpdateCounts } from "./result.js";
import type { EndTally, UpdateTally } from "./tally.js";
import { Tally } from "./tally.js";

/** What an engine counted of one case. */
export interface CaseTally {
  readonly settings: UpdateSettings;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly tally: Tally;
  }[];
  /** Over all tensors, for each step. */
  readonly steps: readonly { readonly step: number; readonly tally: UpdateTally }[];
}

/** The result of one case: totals, shares and norms from what was counted. */
export function summarizeCase({ settings, tensors, steps }: CaseTally): Case {
  const all = new Tally();
  for (const { tally } of tensors) all.merge(tally);
  return {
    format: settings.format.name,
    rounding: settings.rounding,
    scheme: settings.scheme,
    opmath: settings.opmath,
    ...summarize(all, steps.length),
    steps: steps.map(({ step, tally }): StepCounts => ({ step, ...updateCounts(tally) })),
    tensors: tensors.map(
      ({ name, shape, tally }): TensorCounts => ({ name, shape, ...summarize(tally, steps.length) }),
    ),
  };
}

export function summarize(tally: Tally, steps: number): LensCounts {
  return {
    totals: {
      elements: tally.elements,
      steps,
      castChanged: tally.castChanged,
      ...updateCounts(tally.updates),
    },
    end: endCounts(tally.end),
    probes: probeCounts(tally),
    histogram: tally.histogram.toJSON(),
  };
}

export function updateCounts(tally: UpdateTally): UpdateCounts {
  const { none, lost, kept, moved, nonfinite } = tally;
  const n = none + lost + kept + moved;
  const updateSquared = tally.updateSquared.value();
  return {
    none,
    lost,
    kept,
    moved,
    nonfinite,
    realSparsity: ratio(none, n),
    apparentSparsity: ratio(none + lost + kept, n),
    hiddenShare: ratio(lost + kept, n - none),
    updateNorm: Math.sqrt(updateSquared),
    effectiveNorm: Math.sqrt(tally.effectiveSquared.value()),
    effectiveDescent: ratio(tally.product.value(), updateSquared),
    sums: {
      updateSquared: tally.updateSquared.parts(),
      effectiveSquared: tally.effectiveSquared.parts(),
      product: tally.product.parts(),
    },
  };
}

function endCounts(end: EndTally): End {
  const { unchanged, neverUpdated, cancelled, hidden, returned, nonfinite } = end;
  return {
    unchanged,
    neverUpdated,
    cancelled,
    hidden,
    returned,
    nonfinite,
    effectiveDescent: ratio(end.product.value(), end.displacementSquared.value()),
    sums: { displacementSquared: end.displacementSquared.parts(), product: end.product.parts() },
  };
}

function probeCounts({ elements, end, updates, probes }: Tally): Probes {
  const endProbe = (unchanged: number) => ({
    unchanged,
    share: ratio(unchanged, elements - end.nonfinite),
    unchangedButDiffers: unchanged - end.unchanged,
  });
  const sized = updates.lost + updates.kept + updates.moved;
  return {
    "path-not-taken": endProbe(probes.pathNotTaken),
    "small-subnetworks": endProbe(probes.smallSubnetworks),
    "ulp-rule": {
      lost: probes.ulpRule,
      share: ratio(probes.ulpRule, sized),
      lostButMoved: probes.ulpRuleMoved,
      visibleButUnmoved: probes.ulpRuleUnmoved,
      disagreement: ratio(probes.ulpRuleMoved + probes.ulpRuleUnmoved, sized),
    },
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
