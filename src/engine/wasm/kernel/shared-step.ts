import { outermostBin } from "../../../lens/histogram.js";
import type { BlockSettings } from "../../../update/block-settings.js";
import { laneBlockSchemes } from "../../lane/block-scheme.js";
import {
  bitsOf,
  exponentBias,
  exponentBits,
  exponentShift,
  isNonfinite,
  magnitude,
  ulpBinade,
} from "../../lane/numbers.js";
import { round } from "../../lane/round.js";
import {
  type BlockScaleLanes,
  blockScale,
  blockScaleLanes,
  elementsOf,
  laneRule,
  type TensorScaleLanes,
  tensorScale,
} from "../../lane/scale-rules.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type CaseLayout, histogramTable, type Layout, stepTally } from "../layout.js";
import type { GroupBits } from "./group-bits.js";
import { halves, loadGroup, vectorBytes } from "./groups.js";
import { binsOf, binsOfBinade, sizeBits } from "./histogram.js";
import { forEachFourGroups, groupAddress } from "./largest.js";
import { addCount } from "./sum.js";

/**
 * The step of weights with shared scales, as in update/block-step.ts and lens/shared-tally.ts. The largest
 * magnitudes of blocks, and of a tensor with a scale, are computed before it. The scales of all blocks come first,
 * four groups of eight weights at a time; then the weights, group by group, each within one block.
 */

/** The number to quantize: rounded to the format `through`, if there is one. */
export function sent(k: FunctionWriter, number: V128, { through }: BlockSettings): V128 {
  if (through === null) return number;
  const to = { format: through, rounding: "nearest-even", overflow: "ieee" } as const;
  return round(k, number, to, () => k.i32x4.constant(0));
}

/** The scales of four groups, from the largest magnitudes of their blocks. */
export function scalesOfGroups(
  k: FunctionWriter,
  settings: BlockSettings,
  largest: V128,
  tensor: TensorScaleLanes<V128>,
): V128 {
  return blockScale(k, magnitude(k, sent(k, largest, settings)), settings.blocks, tensor);
}

/** The scale of the tensor, from its largest magnitude, a word of {@link SharedRows.tensor}. */
export function tensorScaleAt(
  k: FunctionWriter,
  settings: BlockSettings,
  base: I32,
  word: number,
): TensorScaleLanes<V128> {
  const largest = () => magnitude(k, sent(k, k.load("v128_32_splat", base, word), settings));
  return tensorScale(k, largest, settings.blocks);
}

const groupCounts = ["blocks", "blockScales"] as const;
const weightCounts = ["collateral", "collateralZeros", "codes", "clipped", "flushed"] as const;
const countNames = [...groupCounts, ...weightCounts];
type CountName = (typeof countNames)[number];

/** Writes the parts of a step kernel that are specific to shared scales. */
export class SharedStep {
  readonly #k: FunctionWriter;
  readonly #settings: BlockSettings;
  readonly #updates: number;
  readonly #of: CaseLayout;
  readonly #base: I32;
  readonly #counts: Readonly<Record<CountName, V128>>;
  readonly #tensorBefore: TensorScaleLanes<V128>;
  readonly #tensorAfter: TensorScaleLanes<V128>;
  /** Nonzero if the tensor scale changes. */
  readonly #tensorMoves: V128;
  readonly #isRenewed: boolean;

  constructor(
    k: FunctionWriter,
    settings: BlockSettings,
    { updates }: Layout,
    caseLayout: CaseLayout,
    base: I32,
  ) {
    this.#k = k;
    this.#settings = settings;
    this.#updates = updates;
    this.#of = caseLayout;
    this.#base = base;
    const counts = countNames.map((name) => [name, k.variable("v128")]);
    this.#counts = Object.fromEntries(counts) as Record<CountName, V128>;
    this.#isRenewed = settings.scales === "renewed";
    const { tensor } = caseLayout.shared!;
    this.#tensorBefore = tensorScaleAt(k, settings, base, tensor);
    this.#tensorAfter = this.#isRenewed ? tensorScaleAt(k, settings, base, tensor + 4) : this.#tensorBefore;
    this.#tensorMoves = k.v128.xor(this.#tensorBefore.stored, this.#tensorAfter.stored);
  }

  /** Computes the scales of all blocks after the step, and counts those that changed. */
  renewScales(count: I32): void {
    const k = this.#k;
    const { scales, before, largest, firsts } = this.#of.shared!;
    forEachFourGroups(k, this.#base, count, (groups) => {
      const first = k.load("v128", groups, firsts);
      this.#count("blocks", first);
      if (!this.#isRenewed) return;
      const old = k.load("v128", groups, scales);
      const renewed = scalesOfGroups(k, this.#settings, k.load("v128", groups, largest), this.#tensorAfter);
      k.store("v128", old, groups, before);
      k.store("v128", renewed, groups, scales);
      this.#count("blockScales", k.v128.andnot(first, k.i32x4.eq(old, renewed)));
    });
  }

  /** Applies the step to a group, counts the changes of its codes, and stores it. */
  take(row: I32, i: I32, bits: GroupBits | null) {
    const k = this.#k;
    const { f32x4, i32x4, v128 } = k;
    const { blocks, rounding, scheme, momentum } = this.#settings;
    const { shared, weights, carriers } = this.#of;
    const { proposed, carried } = laneBlockSchemes[scheme];
    const group = groupAddress(k, this.#base, i);
    const scale = k.load("v128_32_splat", group, shared!.scales);
    const scaleBefore = this.#isRenewed ? k.load("v128_32_splat", group, shared!.before) : scale;
    const after = blockScaleLanes(k, scale, blocks, this.#tensorAfter);
    const moves = v128.any_true(v128.or(v128.xor(scaleBefore, scale), this.#tensorMoves));
    const stepBefore = laneRule(blocks).tensorScale
      ? f32x4.mul(scaleBefore, this.#tensorBefore.stored)
      : scaleBefore;

    const [updates, states, codes] = [this.#updates, weights, shared!.elements].map((offset) =>
      loadGroup(k, row, offset),
    );
    const kept = carriers === null ? [null, null] : loadGroup(k, row, carriers);
    return halves.map((half) => {
      const [update, code] = [updates[half], codes[half]];
      const state = { weight: states[half], carrier: kept[half] };
      const next = proposed(k, state, update, momentum ?? 0);
      const number = sent(k, next, this.#settings);
      // The same random bits under both scales.
      const random = bits?.draw(half, 0);
      const under = (by: BlockScaleLanes<V128>, quotients: V128) =>
        elementsOf(k, quotients, by, blocks, rounding, () => random!);
      const quotients = after.scaled(number);
      const element = under(after, quotients);
      const weight = f32x4.mul(element, after.step);
      const carrier = carried(k, state, next, weight, momentum ?? 0);
      const place = half * vectorBytes;
      k.store("v128", weight, row, weights + place);
      k.store("v128", element, row, shared!.elements + place);
      if (carrier) k.store("v128", carrier, row, carriers! + place);

      const codeMoves = k.variableOf(f32x4.ne(element, code));
      if (this.#isRenewed) {
        k.if(moves, () => {
          const before = blockScaleLanes(k, scaleBefore, blocks, this.#tensorBefore);
          k.assign(codeMoves, f32x4.ne(under(before, before.scaled(number)), code));
        });
      }
      this.#count("codes", v128.not(i32x4.eq(element, code)));
      const beyond = f32x4.gt(magnitude(k, quotients), f32x4.constant(blocks.element.maxFinite));
      this.#count("clipped", beyond);
      const zero = f32x4.constant(0);
      const flushed = v128.and(f32x4.ne(number, zero), f32x4.eq(element, zero));
      this.#count("flushed", v128.andnot(flushed, isNonfinite(k, magnitude(k, scale))));
      return {
        before: state,
        after: { weight, carrier },
        update,
        shared: { codeMoves, binsFor: (size: V128) => this.#bins(code, stepBefore, size) },
      };
    });
  }

  /**
   * The bins of the gap ulp(code) * step for updates with {@link sizeBits} `size`: binOfGap of lens/histogram.ts.
   * If `step` is not a power of two, neither is the gap, and an update with the smaller significand belongs in the
   * bin below. Updates beyond the outermost bin belong in that one, also if `step` is zero.
   */
  #bins(code: V128, step: V128, size: V128): V128 {
    const k = this.#k;
    const { f32x4, i32x4, v128 } = k;
    const { element } = this.#settings.blocks;
    const places = 2 ** exponentShift;
    const ofCode = i32x4.sub(ulpBinade(k, code, element), i32x4.constant(exponentBias * places));
    // 2^-127 is subnormal, and has the exponent field needed, 0.
    if (laneRule(this.#settings.blocks).powersOfTwo)
      return binsOfBinade(k, i32x4.add(ofCode, v128.and(step, i32x4.constant(exponentBits))));
    const fraction = i32x4.constant(places - 1);
    const subnormal = i32x4.lt_s(step, i32x4.constant(bitsOf(2 ** -126)));
    const normal = v128.select(subnormal, sizeBits(k, step), step);
    const lesser = i32x4.lt_s(v128.and(size, fraction), v128.and(normal, fraction));
    const oneBin = i32x4.constant(histogramTable.binBytes);
    const ofGap = i32x4.add(binsOfBinade(k, ofCode), i32x4.add(binsOf(k, normal), v128.and(lesser, oneBin)));
    const outermost = (outermostBin - element.precision + 1) * histogramTable.binBytes;
    const least = i32x4.sub(binsOf(k, size), i32x4.constant(outermost));
    return v128.select(f32x4.eq(step, f32x4.constant(0)), least, i32x4.max_s(ofGap, least));
  }

  /** The masks must exclude nonfinite weights. */
  countCollateral(collateral: V128, zero: V128): void {
    this.#count("collateral", collateral);
    this.#count("collateralZeros", this.#k.v128.and(collateral, zero));
  }

  #count(name: CountName, mask: V128): void {
    const lanes = this.#counts[name];
    this.#k.assign(lanes, this.#k.i32x4.sub(lanes, mask));
  }

  /** Adds the counts to a tally of the step. */
  store(countOfLanes: (lanes: V128) => I32, tally: I32): void {
    for (const name of countNames)
      addCount(this.#k, countOfLanes(this.#counts[name]), tally, stepTally[name]);
  }
}
