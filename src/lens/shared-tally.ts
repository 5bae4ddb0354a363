import type { BlockFormat } from "../format/block/block-format.js";
import type { QuantizedBlock } from "../format/block/quantize-block.js";
import type { TensorScale } from "../format/block/scale-rule.js";

/** What changed of what is stored where scales are shared: in steps, or of the end against the start. */
export interface ChangedCounts {
  /** Weights whose code changed, bit for bit. */
  readonly codes: number;
  readonly blocks: number;
  /** Blocks whose scale changed. */
  readonly blockScales: number;
  /** Tensors, where these have scales; and those whose scale changed. */
  readonly tensors: number;
  readonly tensorScales: number;
  /** Of all that changed, codes and scales, the bits as they are stored: what has to be sent, but for the places. */
  readonly bits: number;
}

/** The same of steps, and how the numbers fit their scales. */
export interface SharedCounts extends ChangedCounts {
  /** Weights whose number was beyond the largest element of its block. */
  readonly clipped: number;
  /** Weights whose number was not zero and is stored as zero. */
  readonly flushed: number;
}

const changedCounts = [
  "codes",
  "blocks",
  "blockScales",
  "tensors",
  "tensorScales",
  "bits",
] as const satisfies readonly (keyof ChangedCounts)[];
const sharedCounts = [
  ...changedCounts,
  "clipped",
  "flushed",
] as const satisfies readonly (keyof SharedCounts)[];

/** {@link SharedCounts} being counted. */
export class SharedTally implements SharedCounts {
  codes = 0;
  blocks = 0;
  blockScales = 0;
  tensors = 0;
  tensorScales = 0;
  bits = 0;
  clipped = 0;
  flushed = 0;

  merge(other: ChangedCounts & Partial<SharedCounts>): void {
    for (const name of sharedCounts) this[name] += other[name] ?? 0;
  }

  /** Compares a block with what it was. */
  addBlock(before: QuantizedBlock, after: QuantizedBlock, { element, scale }: BlockFormat): void {
    let changed = 0;
    for (let i = 0; i < after.codes.length; i++) if (after.codes[i] !== before.codes[i]) changed += 1;
    const rescaled = !Object.is(after.scale, before.scale);
    this.codes += changed;
    this.blocks += 1;
    if (rescaled) this.blockScales += 1;
    this.bits += changed * element.bits + (rescaled ? scale.bits : 0);
  }

  /** Counts what the block's scale does to the numbers that were quantized. */
  addFit(
    quantized: readonly number[],
    { codes, scale }: QuantizedBlock,
    { element, rule }: BlockFormat,
    tensorScale: TensorScale,
  ): void {
    const zeros = 2 ** (element.bits - 1);
    for (const [i, x] of quantized.entries()) {
      if (Math.abs(rule.scaled(x, scale, tensorScale)) > element.maxFinite) this.clipped += 1;
      if (x !== 0 && codes[i] % zeros === 0 && Number.isFinite(scale)) this.flushed += 1;
    }
  }

  /** Compares a tensor's scale with what it was; not for tensors that have none. */
  addTensor(before: TensorScale, after: TensorScale): void {
    this.tensors += 1;
    if (Object.is(after.stored, before.stored)) return;
    this.tensorScales += 1;
    this.bits += 32;
  }
}

/** What a result has of steps, in its order. */
export function sharedJson(tally: SharedTally): SharedCounts {
  return named(sharedCounts, tally);
}

/** What a result has of the end against the start. */
export function changedJson(tally: SharedTally): ChangedCounts {
  return named(changedCounts, tally);
}

function named<N extends keyof SharedCounts>(names: readonly N[], tally: SharedTally): Pick<SharedCounts, N> {
  return Object.fromEntries(names.map((name) => [name, tally[name]])) as Pick<SharedCounts, N>;
}

/** The sum of two, either of which may not be counted. */
export function mergedShared(
  a: SharedTally | null,
  b: (ChangedCounts & Partial<SharedCounts>) | null,
): SharedTally | null {
  if (b === null) return a;
  const sum = a ?? new SharedTally();
  sum.merge(b);
  return sum;
}
