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
import { binsOfBinade, countPlaces, histogramPlaces, sizeBits } from "./histogram.js";
import { flagsOf, packedLanes, promoteStored } from "./lanes.js";
import { Moves, updatesOfMoves } from "./moves.js";
import { recipeParameters, StepScalars, takeRecipeStep } from "./recipe.js";
import {
  countRecipe,
  type MomentMasks,
  momentMagnitudes,
  momentMasks,
  RecipeCounts,
} from "./recipe-counts.js";
import { SharedStep } from "./shared-step.js";
import { addCount, addExactly, addProduct, countOf, sumOfLanes } from "./sum.js";

/** Parameters of `step`: base of the worker's memory, number of weights, address of the step's tally, random bits. */
export const stepParameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

type StepSum = "updateSquared" | "effectiveSquared" | "product";

/** A step of four weights, by a scheme or by a recipe. */
type Taken = Pick<LaneRecipeStep<V128>, "before" | "after" | "update"> & {
  readonly recipe?: LaneRecipeStep<V128>;
  /**
   * For shared scales: whether the code changes under the scale before the step, and the bins of its gap for
   * updates of a size.
   */
  readonly shared?: { readonly codeMoves: V128; binsFor(size: V128): V128 };
};

/** The outcomes of four updates as masks, as in CaseLens of the reference engine. */
interface LaneOutcome extends Taken {
  /** Zero in nonfinite lanes, so that these add nothing. */
  readonly update: V128;
  readonly zero: V128;
  /** The stored number changed. */
  readonly moved: V128;
  /** The carrier changed. */
  readonly carried: V128 | null;
  readonly magnitude: V128;
  readonly size: V128;
  /** Nonfinite; for recipes only, whose counts need it. */
  readonly gone: V128 | null;
  readonly moments: readonly MomentMasks[];
}

/** The recipe of a step kernel. */
export interface StepRecipe {
  readonly lines: CaseLines;
  /** The row of the first case's weights, to be compared with; null if they are not. */
  readonly first: number | null;
}

/**
 * The body of `step(base, count, tally, keyLow, keyHigh, pairLow, pairHigh)`, followed by {@link recipeParameters}
 * for a recipe: applies one step to the weights and counts every update. Padding has weights and updates of zero;
 * the caller subtracts it from the count of zeros.
 */
export function writeStep(
  k: FunctionWriter,
  settings: WasmSettings,
  layout: Layout,
  caseLayout: CaseLayout,
  recipe: StepRecipe | null = null,
): void {
  const { i32, i32x4, v128 } = k;
  const [base, count, tally, keyLow, keyHigh, pairLow, pairHigh] = stepParameters.map((type, i) =>
    k.parameter(i, type),
  );
  const key =
    settings.rounding === "stochastic" ? threefryKey(k, i32x4.splat(keyLow), i32x4.splat(keyHigh)) : null;
  const pairHighs = i32x4.splat(pairHigh);
  const counts = { zero: new ClassCount(k), moved: new ClassCount(k), kept: new ClassCount(k) };
  const nonfinite = k.variable("i32");
  const [updateSquared, effectiveSquared, product] = [0, 1, 2].map(() =>
    [0, 1, 2, 3].map(() => k.variable("v128")),
  );
  const scratch = i32.add(base, layout.scratch);
  const moves = new Moves(k, i32.add(scratch, scratchLayout.moves));
  const [elements, at, tail] = recipe ? recipeParameters.map((type, i) => k.parameter(7 + i, type)) : [];
  const scalars = recipe && new StepScalars(k, at, recipe.lines);
  const recipeCounts = recipe && new RecipeCounts(k, recipe.lines.recipe);
  const shared = settings.blocks ? new SharedStep(k, settings, layout, caseLayout, base) : null;
  shared?.renewScales(count);

  forEachBlock(k, count, (from, to) => {
    const nothing = i32x4.constant(0);
    for (const lanes of [...updateSquared, ...effectiveSquared, ...product]) k.assign(lanes, nothing);
    moves.begin();
    const places = i32.add(scratch, scratchLayout.places);

    const group = (row: I32, flags: I32, i: I32) => {
      const pairs = i32x4.add(i32x4.splat(i32.add(pairLow, i32.shr_u(i, 1))), i32x4.constants(0, 1, 2, 3));
      const bits = key && new GroupBits(k, key, [pairs, pairHighs]);
      const taken = settings.recipe
        ? takeRecipeStep(
            k,
            settings,
            { layout, of: caseLayout, lines: recipe!.lines, scalars: scalars! },
            { row, i, elements, tail },
            bits,
          ).map((step): Taken => ({ ...step, recipe: step }))
        : settings.blocks
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

      const packed = (of: (outcome: LaneOutcome) => V128) => packedLanes(k, outcomes.map(of));
      const zero = packed((outcome) => outcome.zero);
      const moved = packed((outcome) => outcome.moved);
      const kept =
        outcomes[0].carried &&
        v128.andnot(
          packed(({ carried }) => carried!),
          moved,
        );
      let [ofOwnUpdate, neither] = [moved, kept];
      if (shared) {
        const collateral = outcomes.map((outcome) => v128.andnot(outcome.moved, outcome.shared!.codeMoves));
        for (const [half, mask] of collateral.entries()) shared.countCollateral(mask, outcomes[half].zero);
        const all = packedLanes(k, collateral);
        ofOwnUpdate = v128.andnot(moved, all);
        neither = kept ? v128.or(kept, all) : all;
      }
      counts.zero.add(zero);
      counts.moved.add(v128.andnot(ofOwnUpdate, zero));
      if (kept) counts.kept.add(v128.andnot(kept, zero));
      const sized = outcomes.map(({ before: { weight }, magnitude, size, shared }) => {
        const binade = shared?.binsFor(size) ?? binsOfBinade(k, ulpBinade(k, weight, settings.format));
        return { magnitude, size, weight, binade };
      });
      const place = histogramPlaces(k, sized, { zero, moved, kept: neither });
      k.store("v128", place, i32.add(places, i32.shl(i32.sub(i, from), 1)));
      const found = i32.or(k.load("i32_8u", flags, caseLayout.moved), k.i16x8.bitmask(moved));
      k.store("i32_8", found, flags, caseLayout.moved);
      const displaced = outcomes.map(({ before, after, moved }) =>
        v128.and(displacement(k, after.weight, before.weight), moved),
      );
      const group = moves.write([...displaced, ...outcomes.map(({ update }) => update)]);
      for (const [i, lanes] of updateSquared.entries()) {
        const u = promoteStored(k, group, updatesOfMoves, i);
        addProduct(k, lanes, u, u);
      }
      moves.keep(v128.any_true(moved));
    };
    forEachGroup(k, base, from, to, group);

    const end = i32.add(places, i32.shl(i32.sub(to, from), 1));
    countPlaces(k, places, end, i32.add(base, caseLayout.histogram));
    moves.forEach((group) => {
      for (const i of [0, 1, 2, 3]) {
        const e = promoteStored(k, group, 0, i);
        addProduct(k, effectiveSquared[i], e, e);
        addProduct(k, product[i], e, promoteStored(k, group, updatesOfMoves, i));
      }
    });
    for (const [name, lanes] of Object.entries({ updateSquared, effectiveSquared, product })) {
      k.call(addExactly, i32.add(tally, stepTally[name as StepSum]), sumOfLanes(k, lanes));
    }
    for (const count of Object.values(counts)) count.endBlock();
  });

  for (const field of ["zero", "moved", "kept"] as const) {
    addCount(k, countOf(k, counts[field].lanes, scratch, scratchLayout.counts), tally, stepTally[field]);
  }
  addCount(k, nonfinite, tally, stepTally.nonfinite);
  shared?.store((lanes) => countOf(k, lanes, scratch, scratchLayout.counts), tally);
  recipeCounts?.store(
    (lanes) => countOf(k, lanes, scratch, scratchLayout.counts),
    { tally: i32.add(base, caseLayout.recipe), step: tally },
    recipe!.first !== null,
  );
}

/** Loads a group, applies the scheme, and stores it. */
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
 * The outcomes of a group. A branch that is almost never taken excludes lanes with NaN or Inf, and handles
 * subnormal updates, whose exponent is not in the exponent field.
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
    const zero = k.variableOf(f32x4.eq(update, f32x4.constant(0)));
    const subnormal = v128.andnot(i32x4.lt_s(magnitude, i32x4.constant(0x0080_0000)), zero);
    const gone = recipe === undefined ? null : k.variableOf(i32x4.constant(0));
    const moments = (recipe?.moments ?? []).map((moment) => momentMasks(k, moment));
    const outcome = {
      ...step,
      gone,
      moments,
      update: k.variableOf(update),
      zero,
      moved: k.variableOf(f32x4.ne(after.weight, before.weight)),
      carried: after.carrier && k.variableOf(f32x4.ne(after.carrier, before.carrier!)),
      magnitude,
      size: k.variableOf(magnitude),
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

/** Counts masks of 16 bits per lane. */
class ClassCount {
  readonly #k: FunctionWriter;
  /** The counts of completed blocks, in 32-bit lanes. */
  readonly lanes: V128;
  readonly #ofBlock: V128;

  constructor(k: FunctionWriter) {
    this.#k = k;
    this.lanes = k.variable("v128");
    this.#ofBlock = k.variable("v128");
  }

  add(mask: V128): void {
    this.#k.assign(this.#ofBlock, this.#k.i16x8.sub(this.#ofBlock, mask));
  }

  endBlock(): void {
    const { i32x4 } = this.#k;
    this.#k.assign(this.lanes, i32x4.add(this.lanes, i32x4.extadd_pairwise_i16x8_u(this.#ofBlock)));
    this.#k.assign(this.#ofBlock, i32x4.constant(0));
  }
}
