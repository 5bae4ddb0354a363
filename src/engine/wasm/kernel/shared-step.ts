import type { BlockSettings } from "../../../update/block-settings.js";
import { exponentBias, exponentShift, magnitude, ulpBinade } from "../../lane/numbers.js";
import { round } from "../../lane/round.js";
import { elements, type ScaleLanes, scaleCode, scaled, scaleLanes } from "../../lane/shared-scale.js";
import { sharedBlock } from "../admission.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { type CaseLayout, type Layout, stepTally } from "../layout.js";
import type { GroupBits } from "./group-bits.js";
import { forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { addCount } from "./sum.js";

/** What weights that share scales do in a step: update/block-step.ts and lens/shared-tally.ts, block by block. */

/** The scale of a block before a step and after it; whether the two differ, as 1 or 0. */
export interface StepScales {
  readonly before: ScaleLanes<V128>;
  readonly after: ScaleLanes<V128>;
  readonly renewed: I32;
}

/** Does `body` for every group between two multiples of the block, with what `begin` made of its block. */
export function forEachSharedGroup<S>(
  k: FunctionWriter,
  { base, from, to }: { readonly base: I32; readonly from: I32; readonly to: I32 },
  begin: (row: I32, block: I32) => S,
  body: (shared: S, row: I32, flags: I32, i: I32) => void,
): void {
  const { i32 } = k;
  k.loop(from, to, sharedBlock, (first) => {
    // A scale lies where the flags of the block do, in its own row.
    const shared = begin(i32.add(base, i32.shl(first, 2)), i32.add(base, i32.shr_u(first, 3)));
    forEachGroup(k, base, first, i32.add(first, sharedBlock), (row, flags, i) => body(shared, row, flags, i));
  });
}

/** The code, in every lane, of the scale of a block whose numbers `numbers` gives, vector by vector. */
export function scaleOfBlock(
  k: FunctionWriter,
  { blocks }: BlockSettings,
  numbers: (offset: number) => V128,
): V128 {
  const { i32x4, i8x16 } = k;
  let largest = i32x4.constant(0);
  // As integers magnitudes have the order of their numbers, with NaN above all.
  for (let i = 0; i < sharedBlock / 4; i++)
    largest = i32x4.max_s(largest, magnitude(k, numbers(i * vectorBytes)));
  for (const by of [8, 4]) {
    const turned = Array.from({ length: 16 }, (_, byte) => (byte + by) % 16);
    largest = i32x4.max_s(largest, i8x16.shuffle(largest, largest, turned));
  }
  return scaleCode(k, largest, blocks);
}

/** What is quantized of a master. */
export function sent(k: FunctionWriter, master: V128, { through }: BlockSettings): V128 {
  if (through === null) return master;
  const to = { format: through, rounding: "nearest-even", overflow: "ieee" } as const;
  return round(k, master, to, () => k.i32x4.constant(0));
}

const countNames = ["collateral", "collateralZeros", "codes", "clipped", "flushed"] as const;
type CountName = (typeof countNames)[number];

/** What one kernel of a step counts and does where scales are shared. */
export class SharedStep {
  readonly #k: FunctionWriter;
  readonly #settings: BlockSettings;
  readonly #updates: number;
  readonly #of: CaseLayout;
  readonly #counts: Readonly<Record<CountName, V128>>;
  readonly #blockScales: I32;

  constructor(k: FunctionWriter, settings: BlockSettings, { updates }: Layout, caseLayout: CaseLayout) {
    this.#k = k;
    this.#settings = settings;
    this.#updates = updates;
    this.#of = caseLayout;
    this.#counts = Object.fromEntries(countNames.map((name) => [name, k.variable("v128")])) as Record<
      CountName,
      V128
    >;
    this.#blockScales = k.variable("i32");
  }

  /** Makes the scale of a block of the numbers that it will have, and stores it. */
  beginBlock(row: I32, block: I32): StepScales {
    const k = this.#k;
    const { i32x4, v128, i32, f32x4 } = k;
    const { carriers, shared } = this.#of;
    const before = k.load("v128_32_splat", block, shared!.scales);
    const after = scaleOfBlock(k, this.#settings, (offset) => {
      const master = k.load("v128", row, carriers! + offset);
      return sent(k, f32x4.add(master, k.load("v128", row, this.#updates + offset)), this.#settings);
    });
    k.store("i32", i32x4.lane(after, 0), block, shared!.scales);
    const renewed = v128.any_true(v128.xor(before, after));
    k.assign(this.#blockScales, i32.add(this.#blockScales, renewed));
    return { before: scaleLanes(k, before), after: scaleLanes(k, after), renewed };
  }

  /** Takes a group through a step, counts what its codes and numbers do, and stores it. */
  take(row: I32, scales: StepScales, bits: GroupBits | null) {
    const k = this.#k;
    const { f32x4, i32x4, v128 } = k;
    const { blocks, rounding } = this.#settings;
    const { shared, weights, carriers } = this.#of;
    const [u, w, c] = [this.#updates, weights, carriers!].map((offset) => loadGroup(k, row, offset));
    const codes = loadGroup(k, row, shared!.elements);
    return halves.map((half) => {
      const [update, code] = [u[half], codes[half]];
      const master = f32x4.add(c[half], update);
      const number = sent(k, master, this.#settings);
      // The same bits under both scales.
      const random = bits?.draw(half, 0);
      const under = (scale: ScaleLanes<V128>, quotients: V128) =>
        elements(k, quotients, scale, blocks, rounding, () => random!);
      const quotients = scaled(k, number, scales.after);
      const element = under(scales.after, quotients);
      const weight = f32x4.mul(element, scales.after.number);
      const place = half * vectorBytes;
      k.store("v128", weight, row, weights + place);
      k.store("v128", master, row, carriers! + place);
      k.store("v128", element, row, shared!.elements + place);

      const codeMoves = k.variable("v128");
      k.assign(codeMoves, f32x4.ne(element, code));
      k.if(scales.renewed, () => {
        k.assign(codeMoves, f32x4.ne(under(scales.before, scaled(k, number, scales.before)), code));
      });
      this.#count("codes", v128.not(i32x4.eq(element, code)));
      const beyond = f32x4.gt(magnitude(k, quotients), f32x4.constant(blocks.element.maxFinite));
      this.#count("clipped", v128.andnot(beyond, scales.after.isNaN));
      const zero = f32x4.constant(0);
      const flushed = v128.and(f32x4.ne(number, zero), f32x4.eq(element, zero));
      this.#count("flushed", v128.andnot(flushed, scales.after.isNaN));

      // The gap of the code, times the scale before the step.
      const field = i32x4.sub(
        i32x4.shl(scales.before.code, exponentShift),
        i32x4.constant(exponentBias * 2 ** exponentShift),
      );
      const binade = i32x4.add(ulpBinade(k, code, blocks.element), field);
      return {
        before: { weight: w[half], carrier: c[half] },
        after: { weight, carrier: master },
        update,
        shared: { codeMoves, binade },
      };
    });
  }

  /** Of weights that are finite. */
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
    addCount(this.#k, this.#blockScales, tally, stepTally.blockScales);
  }
}
