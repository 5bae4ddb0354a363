import { sharesScales } from "../../../update/block-settings.js";
import type { UpdateSettings } from "../../../update/settings.js";
import { storageArithmetic } from "../../lane/arithmetic.js";
import { foundNonfinite } from "../../lane/classes.js";
import { displacement, isNonfinite, magnitude as magnitudeOf, ulpBinade } from "../../lane/numbers.js";
import type { CaseLines } from "../../lane/recipe-scalars.js";
import type { LaneRecipeStep } from "../../lane/recipe-step.js";
import { type LaneState, schemeSteps } from "../../lane/scheme.js";
import { threefryKey } from "../../lane/threefry.js";
import type { WasmSettings } from "../admission.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type CaseLayout, type Layout, scratchLayout, stepTally } from "../layout.js";
import { GroupBits } from "./group-bits.js";
import { forEachBlock, forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { binsOfBinade, countInHistogram, sizeBits } from "./histogram.js";
import { flagsOf, promoteHalf } from "./lanes.js";
import { recipeParameters, StepScalars, takeRecipeStep } from "./recipe.js";
import {
  countRecipe,
  type MomentMasks,
  momentMagnitudes,
  momentMasks,
  RecipeCounts,
} from "./recipe-counts.js";
import { SharedStep } from "./shared-step.js";
import { addCount, addExactly, countOf, sumOfLanes } from "./sum.js";

/** Parameters of `step`: where the worker's memory begins, weights, the tally of the step, and the random bits. */
export const stepParameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** What was done to four weights: by a scheme, or by a recipe. */
type Taken = Pick<LaneRecipeStep<V128>, "before" | "after" | "update"> & {
  readonly recipe?: LaneRecipeStep<V128>;
  /** Where scales are shared: whether the code moves under the scale before the step, and the bins of its gap by the size. */
  readonly shared?: { readonly codeMoves: V128; binsFor(size: V128): V128 };
};

/** What became of four updates: CaseLens of the reference engine as masks. */
interface LaneOutcome extends Taken {
  /** Counted update: zero in lanes that are not finite, which so add to nothing. */
  readonly update: V128;
  readonly zero: V128;
  /** The stored number changed. */
  readonly moved: V128;
  /** The carrier changed. */
  readonly carried: V128 | null;
  readonly magnitude: V128;
  readonly size: V128;
  /** Not finite; of recipes, which count more than classes. */
  readonly gone: V128 | null;
  readonly moments: readonly MomentMasks[];
}

/** What a step by a recipe is written from. */
export interface StepRecipe {
  readonly lines: CaseLines;
  /** The row of the weights of the job's first case, with which those of this one are compared; null for none. */
  readonly first: number | null;
}

/**
 * The body of `step(base, count, tally, keyLow, keyHigh, pairLow, pairHigh)`, of a recipe with {@link recipeParameters}:
 * takes the weights through one step and counts what became of every update. Weights beyond the last are zero and their
 * updates too; the caller takes them off the count of zeros.
 */
export function writeStep(
  k: FunctionWriter,
  settings: WasmSettings,
  layout: Layout,
  caseLayout: CaseLayout,
  recipe: StepRecipe | null = null,
): void {
  const { f64x2, i32, i32x4, v128 } = k;
  const [base, count, tally, keyLow, keyHigh, pairLow, pairHigh] = stepParameters.map((type, i) =>
    k.parameter(i, type),
  );
  const key =
    settings.rounding === "stochastic" ? threefryKey(k, i32x4.splat(keyLow), i32x4.splat(keyHigh)) : null;
  const pairHighs = i32x4.splat(pairHigh);
  const counts = { zero: k.variable("v128"), moved: k.variable("v128"), kept: k.variable("v128") };
  const nonfinite = k.variable("i32");
  const updateSquared = [0, 1, 2, 3].map(() => k.variable("v128"));
  const scratch = i32.add(base, layout.scratch);
  const [elements, at, tail] = recipe ? recipeParameters.map((type, i) => k.parameter(7 + i, type)) : [];
  const scalars = recipe && new StepScalars(k, at, recipe.lines);
  const recipeCounts = recipe && new RecipeCounts(k, recipe.lines.recipe);
  const shared = sharesScales(settings) ? new SharedStep(k, settings, layout, caseLayout, base) : null;
  shared?.renewScales(count);

  forEachBlock(k, count, (from, to) => {
    const nothing = i32x4.constant(0);
    for (const lanes of updateSquared) k.assign(lanes, nothing);
    for (let i = 0; i < 8; i++)
      k.store("v128", nothing, scratch, scratchLayout.effectiveSquared + i * vectorBytes);

    const group = (row: I32, flags: I32, i: I32) => {
      const pairs = i32x4.add(i32x4.splat(i32.add(pairLow, i32.shr_u(i, 1))), i32x4.constants(0, 1, 2, 3));
      const bits = key && new GroupBits(k, key, [pairs, pairHighs]);
      const taken =
        "recipe" in settings
          ? takeRecipeStep(
              k,
              settings,
              { layout, of: caseLayout, lines: recipe!.lines, scalars: scalars! },
              { row, i, elements, tail },
              bits,
            ).map((step): Taken => ({ ...step, recipe: step }))
          : sharesScales(settings)
            ? shared!.take(row, i, bits)
            : takeStep(k, settings, layout, caseLayout, row, bits);
      const outcomes = leaveOutNonfinite(
        k,
        settings,
        taken,
        (masks) => {
          const found = flagsOf(k, masks[0], masks[1]);
          k.assign(nonfinite, i32.add(nonfinite, i32.popcnt(found)));
          k.store(
            "i32_8",
            i32.or(k.load("i32_8u", flags, caseLayout.nonfinite), found),
            flags,
            caseLayout.nonfinite,
          );
        },
        recipeCounts,
      );
      if (recipeCounts) {
        const firsts = recipe!.first === null ? null : loadGroup(k, row, recipe!.first);
        for (const [half, { recipe: step, zero, moved, gone, moments }] of outcomes.entries()) {
          countRecipe(k, recipeCounts, step!, { zero, moved, gone: gone!, moments }, firsts?.[half] ?? null);
        }
      }

      for (const [half, outcome] of outcomes.entries()) {
        const { before, update, zero, moved, carried, magnitude, size } = outcome;
        const tallied = (lanes: V128, mask: V128) => k.assign(lanes, i32x4.sub(lanes, mask));
        const collateral = outcome.shared ? v128.andnot(moved, outcome.shared.codeMoves) : null;
        if (collateral) shared!.countCollateral(collateral, zero);
        tallied(counts.zero, zero);
        tallied(counts.moved, v128.andnot(collateral ? v128.andnot(moved, collateral) : moved, zero));
        const kept = carried && v128.andnot(carried, moved);
        if (kept) tallied(counts.kept, v128.andnot(kept, zero));
        const binade =
          outcome.shared?.binsFor(size) ?? binsOfBinade(k, ulpBinade(k, before.weight, settings.format));
        const neither = collateral && (kept ? v128.or(kept, collateral) : collateral);
        countInHistogram(
          k,
          { magnitude, size, weight: before.weight, binade, zero, moved, kept: neither ?? kept },
          {
            table: i32.add(base, caseLayout.histogram),
            places: i32.add(scratch, scratchLayout.places),
          },
        );
        for (const quarter of halves) {
          const u = promoteHalf(k, update, quarter);
          const lanes = updateSquared[2 * half + quarter];
          k.assign(lanes, f64x2.add(lanes, f64x2.mul(u, u)));
        }
      }
      // Weights that stay add zeros to the other sums: skipping them changes no bit.
      k.if(v128.any_true(v128.or(outcomes[0].moved, outcomes[1].moved)), () => {
        const found = flagsOf(k, outcomes[0].moved, outcomes[1].moved);
        k.store("i32_8", i32.or(k.load("i32_8u", flags, caseLayout.moved), found), flags, caseLayout.moved);
        for (const [half, outcome] of outcomes.entries()) addEffective(k, outcome, scratch, half);
      });
    };
    forEachGroup(k, base, from, to, group);

    k.call(addExactly, i32.add(tally, stepTally.updateSquared), sumOfLanes(k, updateSquared));
    for (const sum of ["effectiveSquared", "product"] as const) {
      const lanes = [0, 1, 2, 3].map((i) => k.load("v128", scratch, scratchLayout[sum] + i * vectorBytes));
      k.call(addExactly, i32.add(tally, stepTally[sum]), sumOfLanes(k, lanes));
    }
  });

  for (const field of ["zero", "moved", "kept"] as const) {
    addCount(k, countOf(k, counts[field], scratch, scratchLayout.places), tally, stepTally[field]);
  }
  addCount(k, nonfinite, tally, stepTally.nonfinite);
  shared?.store((lanes) => countOf(k, lanes, scratch, scratchLayout.places), tally);
  recipeCounts?.store(
    (lanes) => countOf(k, lanes, scratch, scratchLayout.places),
    { tally: i32.add(base, caseLayout.recipe), step: tally },
    recipe!.first !== null,
  );
}

/** Loads a group, takes it through its scheme, and stores it. */
function takeStep(
  k: FunctionWriter,
  settings: UpdateSettings,
  layout: Layout,
  caseLayout: CaseLayout,
  row: I32,
  bits: GroupBits | null,
) {
  const updates = loadGroup(k, row, layout.updates);
  const weights = loadGroup(k, row, caseLayout.weights);
  const carriers = caseLayout.carriers === null ? [null, null] : loadGroup(k, row, caseLayout.carriers);
  return halves.map((half) => {
    let draw = 0;
    const arithmetic = storageArithmetic(k, settings, () => bits!.draw(half, draw++));
    const before: LaneState<V128> = { weight: weights[half], carrier: carriers[half] };
    const after = schemeSteps[settings.scheme](before, updates[half], arithmetic);
    k.store("v128", after.weight, row, caseLayout.weights + half * vectorBytes);
    if (after.carrier) k.store("v128", after.carrier, row, caseLayout.carriers! + half * vectorBytes);
    return { before, after, update: updates[half] };
  });
}

/**
 * The outcomes of a group, from which lanes with NaN or Inf are taken out, in a branch that is next to never taken.
 * Subnormal updates, whose exponent is not in their field, are dealt with there too.
 */
function leaveOutNonfinite(
  k: FunctionWriter,
  settings: WasmSettings,
  taken: readonly Taken[],
  count: (masks: readonly V128[]) => void,
  counts: RecipeCounts | null,
): readonly LaneOutcome[] {
  const { f32x4, i32x4, v128 } = k;
  const found = taken.map((step) => {
    const { before, after, update, recipe } = step;
    const magnitude = magnitudeOf(k, update);
    const variable = (value: V128) => {
      const local = k.variable("v128");
      k.assign(local, value);
      return local;
    };
    const zero = variable(f32x4.eq(update, f32x4.constant(0)));
    const subnormal = v128.andnot(i32x4.lt_s(magnitude, i32x4.constant(0x0080_0000)), zero);
    const gone = recipe === undefined ? null : variable(i32x4.constant(0));
    const moments = (recipe?.moments ?? []).map((moment) => momentMasks(k, moment, variable));
    const outcome = {
      ...step,
      gone,
      moments,
      update: variable(update),
      zero,
      moved: variable(f32x4.ne(after.weight, before.weight)),
      carried: after.carrier && variable(f32x4.ne(after.carrier, before.carrier!)),
      magnitude,
      size: variable(magnitude),
    };
    const nonfinite = foundNonfinite(k, settings, before, update, after);
    const magnitudes = (recipe?.moments ?? []).map((moment) => momentMagnitudes(k, moment));
    const unusual = magnitudes.reduce((sum, one) => v128.or(sum, isNonfinite(k, one)), nonfinite);
    return { outcome, nonfinite, subnormal, magnitudes, unusual: v128.or(unusual, subnormal) };
  });
  k.if(v128.any_true(v128.or(found[0].unusual, found[1].unusual)), () => {
    count(found.map(({ nonfinite }) => nonfinite));
    for (const { outcome, nonfinite, subnormal, magnitudes } of found) {
      const { update, zero, moved, carried, size, gone, moments } = outcome;
      if (gone) k.assign(gone, nonfinite);
      for (const [m, masks] of moments.entries()) counts!.leaveOut(m, masks, isNonfinite(k, magnitudes[m]));
      k.assign(update, v128.andnot(update, nonfinite));
      k.assign(zero, f32x4.eq(update, f32x4.constant(0)));
      k.assign(moved, v128.andnot(moved, nonfinite));
      if (carried) k.assign(carried, v128.andnot(carried, nonfinite));
      k.assign(size, v128.select(subnormal, sizeBits(k, size), size));
    }
  });
  return found.map(({ outcome }) => outcome);
}

/** Adds e^2 and e u of the weights that moved, e = w' - w in fp32. */
function addEffective(
  k: FunctionWriter,
  { before, after, update, moved }: LaneOutcome,
  scratch: I32,
  half: number,
): void {
  const { f64x2, v128 } = k;
  const difference = v128.and(displacement(k, after.weight, before.weight), moved);
  for (const quarter of halves) {
    const effective = promoteHalf(k, difference, quarter);
    const add = (offset: number, product: V128) => {
      const place = offset + (2 * half + quarter) * vectorBytes;
      k.store("v128", f64x2.add(k.load("v128", scratch, place), product), scratch, place);
    };
    add(scratchLayout.effectiveSquared, f64x2.mul(effective, effective));
    add(scratchLayout.product, f64x2.mul(effective, promoteHalf(k, update, quarter)));
  }
}
