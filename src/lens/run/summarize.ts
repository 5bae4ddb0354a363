import type { BlockSettings } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { type Recipe, verifiedIn } from "../../update/recipe/recipe.js";
import { changedJson, sharedJson } from "../shared-tally.js";
import { type EndSum, type EndTally, Tally, type UpdateTally } from "../tally.js";
import type {
  Case,
  CurvePoint,
  End,
  LensCounts,
  Probes,
  ResultRecipe,
  StepCounts,
  TensorCounts,
  UpdateCounts,
} from "./case.js";

/** All weights after a step against their start. */
export interface CurveTally {
  readonly step: number;
  readonly elements: number;
  readonly end: EndTally;
}

/** What was counted of one case. */
export interface CountedCase {
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly tally: Tally;
  }[];
  /** Over all tensors, for each step. */
  readonly steps: readonly { readonly step: number; readonly tally: UpdateTally }[];
  /** Over all tensors, for each milestone. */
  readonly curve: readonly CurveTally[];
}

/** What an engine counted, and of which case. */
export interface CaseTally extends CountedCase {
  readonly settings: CaseSettings;
}

/** Additional fields that identify cases with shared scales. */
export const sharedNames = ["through", "scales", "momentum"] as const;
type SharedName = (typeof sharedNames)[number];

/** Those of them that a case has. */
export function sharedIdentityOf(caseResult: Pick<Case, SharedName>): Pick<Case, SharedName> {
  return Object.fromEntries(
    sharedNames.flatMap((name) => (caseResult[name] === undefined ? [] : [[name, caseResult[name]]])),
  );
}

/** The fields that identify a case of a result. */
export type CaseIdentity = Pick<Case, "format" | "rounding" | "scheme" | "opmath" | "recipe" | SharedName>;

/** The result of one case: totals, shares and norms from what was counted. */
export function summarizeCase({ settings, ...counted }: CaseTally): Case {
  const { rounding, scheme, opmath } = settings;
  const format = storedAs(settings);
  const recipe = settings.recipe ? resultRecipe(settings.recipe, format) : null;
  const shared = settings.blocks ? sharedIdentity(settings) : {};
  return summarizeCounted({ format, rounding, scheme, opmath, recipe, ...shared }, counted);
}

function sharedIdentity({ through, scales, momentum }: BlockSettings): Partial<CaseIdentity> {
  return {
    ...(through && { through: through.name }),
    ...(scales === "kept" && { scales }),
    ...(momentum !== null && { momentum }),
  };
}

/** The storage format's name in results. */
export function storedAs(settings: CaseSettings): string {
  return settings.blocks ? settings.blocks.name : settings.format.name;
}

function resultRecipe(recipe: Recipe, format: string): ResultRecipe {
  return { name: recipe.name, of: recipe.of, verified: verifiedIn(recipe, format) };
}

export function summarizeCounted(identity: CaseIdentity, { tensors, steps, curve }: CountedCase): Case {
  const all = new Tally();
  for (const { tally } of tensors) all.merge(tally);
  const byRecipe = identity.recipe !== null;
  return {
    ...identity,
    ...summarize(all, steps.length, byRecipe),
    steps: steps.map(
      ({ step, tally }): StepCounts => ({ step, parted: tally.parted, ...updateCounts(tally) }),
    ),
    curve: curve.map(({ step, elements, end }): CurvePoint => ({ step, elements, ...endCounts(end) })),
    tensors: tensors.map(
      ({ name, shape, tally }): TensorCounts => ({
        name,
        shape,
        ...summarize(tally, steps.length, byRecipe),
      }),
    ),
  };
}

export function summarize(tally: Tally, steps: number, byRecipe: boolean): LensCounts {
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
    causes: byRecipe ? { ...tally.recipe.causes } : null,
    moments: tally.recipe.moments.map(({ name, none, lost, kept, moved, nonfinite }) => ({
      name,
      none,
      lost,
      kept,
      moved,
      nonfinite,
    })),
  };
}

/** Shares and norms of what was counted. */
export function updateCounts(tally: UpdateTally): UpdateCounts {
  const { none, lost, kept, moved, collateral, nonfinite } = tally;
  const n = none + lost + kept + moved + collateral;
  const zeros = none + tally.collateralZeros;
  const updateSquared = tally.updateSquared.value();
  return {
    none,
    lost,
    kept,
    moved,
    collateral,
    nonfinite,
    zeros,
    realSparsity: ratio(zeros, n),
    apparentSparsity: ratio(none + lost + kept, n),
    hiddenShare: ratio(lost + kept, n - zeros),
    updateNorm: Math.sqrt(updateSquared),
    effectiveNorm: Math.sqrt(tally.effectiveSquared.value()),
    effectiveDescent: ratio(tally.product.value(), updateSquared),
    sums: {
      updateSquared: tally.updateSquared.parts(),
      effectiveSquared: tally.effectiveSquared.parts(),
      product: tally.product.parts(),
    },
    ...(tally.shared && { shared: sharedJson(tally.shared) }),
  };
}

function endCounts(end: EndTally): End {
  const { unchanged, neverUpdated, cancelled, hidden, returned, nonfinite, parted } = end;
  const value = (name: EndSum) => (end.unknown.has(name) ? null : end[name].value());
  const parts = (name: EndSum) => (end.unknown.has(name) ? null : end[name].parts());
  const squared = end.displacementSquared.value();
  const [retained, noiseSquared, weightSquared] = [
    value("retainedProduct"),
    value("noiseSquared"),
    value("weightSquared"),
  ];
  return {
    unchanged,
    neverUpdated,
    cancelled,
    hidden,
    returned,
    nonfinite,
    parted,
    visible: ratio(end.product.value(), squared),
    retained: retained === null ? null : ratio(retained, squared),
    noise: rootOfRatio(noiseSquared, squared),
    noiseToWeight: rootOfRatio(noiseSquared, weightSquared),
    sums: {
      displacementSquared: end.displacementSquared.parts(),
      product: end.product.parts(),
      retainedProduct: parts("retainedProduct"),
      noiseSquared: parts("noiseSquared"),
      weightSquared: parts("weightSquared"),
    },
    ...(end.shared && { shared: changedJson(end.shared) }),
  };
}

function probeCounts({ elements, end, updates, probes }: Tally): Probes {
  const endProbe = (unchanged: number) => ({
    unchanged,
    share: ratio(unchanged, elements - end.nonfinite),
    unchangedButDiffers: unchanged - end.unchanged,
  });
  const { lost, kept, moved, collateral, collateralZeros } = updates;
  const sized = lost + kept + moved + collateral - collateralZeros;
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

function rootOfRatio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : Math.sqrt(part / whole);
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
