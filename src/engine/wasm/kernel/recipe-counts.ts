import { causes } from "../../../lens/tally.js";
import type { Recipe } from "../../../update/recipe/recipe.js";
import { magnitude } from "../../lane/numbers.js";
import type { LaneMoment, LaneRecipeStep, momentCounts } from "../../lane/recipe-step.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { recipeTally, stepTally } from "../layout.js";
import { addCount } from "./sum.js";

/** Counts of recipe steps besides classes: causes, moments, and weights that differ from the first recipe's. */

/** The classes of one moment of four weights: variables, from which nonfinite lanes are removed. */
export interface MomentMasks {
  readonly zero: V128;
  readonly moved: V128;
  readonly kept: V128 | null;
}

/** The classes of a moment. Its update is its intended value minus the one before. */
export function momentMasks(
  k: FunctionWriter,
  { before, meant, after, carrier }: LaneMoment<V128>,
): MomentMasks {
  const { f32x4, v128 } = k;
  const zero = f32x4.eq(meant, before);
  const moved = f32x4.ne(after, before);
  const kept = carrier && v128.andnot(f32x4.ne(carrier.after, carrier.before), v128.or(moved, zero));
  return {
    zero: k.variableOf(zero),
    moved: k.variableOf(v128.andnot(moved, zero)),
    kept: kept && k.variableOf(kept),
  };
}

/** The largest magnitude among a moment's numbers that must be finite. */
export function momentMagnitudes(
  k: FunctionWriter,
  { before, meant, after, carrier }: LaneMoment<V128>,
): V128 {
  const judged = [before, meant, after, ...(carrier ? [carrier.after] : [])];
  const [first, ...others] = judged.map((x) => magnitude(k, x));
  return others.reduce((a, b) => k.i32x4.max_s(a, b), first);
}

/** The counts of a step, by lane. */
export class RecipeCounts {
  readonly #k: FunctionWriter;
  readonly causes: readonly V128[];
  readonly moments: readonly Readonly<Record<(typeof momentCounts)[number], V128>>[];
  readonly parted: V128;

  constructor(k: FunctionWriter, { moments }: Recipe) {
    const lanes = () => k.variable("v128");
    this.#k = k;
    this.causes = causes.map(lanes);
    this.moments = moments.map(() => ({ zero: lanes(), moved: lanes(), kept: lanes(), nonfinite: lanes() }));
    this.parted = lanes();
  }

  add(lanes: V128, mask: V128): void {
    this.#k.assign(lanes, this.#k.i32x4.sub(lanes, mask));
  }

  /** Removes nonfinite lanes from the masks of a moment and counts them. */
  leaveOut(moment: number, { zero, moved, kept }: MomentMasks, nonfinite: V128): void {
    this.add(this.moments[moment].nonfinite, nonfinite);
    for (const mask of [zero, moved, kept]) {
      if (mask) this.#k.assign(mask, this.#k.v128.andnot(mask, nonfinite));
    }
  }

  /** Adds all to the tallies of the case and of its step. */
  store(countOf: (lanes: V128) => I32, at: { tally: I32; step: I32 }, isCompared: boolean): void {
    const k = this.#k;
    for (const [i, name] of causes.entries()) {
      addCount(k, countOf(this.causes[i]), at.tally, recipeTally.cause(name));
    }
    for (const [m, counts] of this.moments.entries()) {
      for (const [name, lanes] of Object.entries(counts)) {
        const place = recipeTally.moment(m, name as (typeof momentCounts)[number]);
        addCount(k, countOf(lanes), at.tally, place);
      }
    }
    if (isCompared) addCount(k, countOf(this.parted), at.step, stepTally.parted);
  }
}

/**
 * Counts four weights after a step.
 *
 * @param masks their classes as masks; nonfinite lanes are in `gone`, and in no other but `zero`.
 * @param first the weights of the job's first case, or null.
 */
export function countRecipe(
  k: FunctionWriter,
  counts: RecipeCounts,
  { idle, shrinks, underflows, guarded, after }: LaneRecipeStep<V128>,
  masks: {
    readonly zero: V128;
    readonly moved: V128;
    readonly gone: V128;
    readonly moments: readonly MomentMasks[];
  },
  first: V128 | null,
): void {
  const { f32x4, v128 } = k;
  const stays = v128.not(v128.or(masks.gone, v128.andnot(masks.moved, masks.zero)));
  const idles = v128.and(stays, idle);
  const active = v128.andnot(stays, idle);
  const [gradient, weightDecay, momentUnderflow, epsilon, storage] = counts.causes;
  counts.add(gradient, v128.andnot(idles, shrinks));
  counts.add(weightDecay, v128.and(idles, shrinks));
  counts.add(momentUnderflow, v128.and(active, underflows));
  const held = v128.andnot(active, underflows);
  counts.add(epsilon, v128.and(held, guarded));
  counts.add(storage, v128.andnot(held, guarded));
  for (const [m, { zero, moved, kept }] of masks.moments.entries()) {
    counts.add(counts.moments[m].zero, zero);
    counts.add(counts.moments[m].moved, moved);
    if (kept) counts.add(counts.moments[m].kept, kept);
  }
  if (first === null) return;
  const { weight } = after;
  const isNumber = v128.or(f32x4.eq(weight, weight), f32x4.eq(first, first));
  counts.add(counts.parted, v128.and(f32x4.ne(weight, first), isNumber));
}
