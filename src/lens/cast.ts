import type { Format } from "../format/format.js";
import type { TensorInput } from "./input.js";

/**
 * The distribution of weights rounded one by one to a low-bit format. Checkpoints in such formats have a
 * scale per block of weights, which brings them into the normal range; without it many are too small for the
 * format.
 */
export interface CastWithoutScale {
  readonly format: string;
  /** Its smallest normal number. */
  readonly minNormal: number;
  /** Finite weights. */
  readonly elements: number;
  /** Below the smallest normal number, including zeros: the smaller, the fewer bits are stored. */
  readonly belowNormal: number;
  /** Stored as zero. */
  readonly zero: number;
}

/** Formats of at most this many bits are used with scales. */
const mostBits = 8;

/** Whether weights of this format usually have scales. */
export function usuallyScaled({ bits }: Format): boolean {
  return bits <= mostBits;
}

/** The block formats used in practice with these elements; empty if there are none. */
export function blockFormatsOf(format: string): readonly string[] {
  return blockFormats[format] ?? [];
}

const blockFormats: Readonly<Record<string, readonly string[]>> = {
  e4m3fn: ["mxfp8-e4m3", "fp8-128x128"],
  e4m3fnuz: ["mxfp8-e4m3", "fp8-128x128"],
  e5m2: ["mxfp8-e5m2"],
  e5m2fnuz: ["mxfp8-e5m2"],
  e3m2fn: ["mxfp6-e3m2"],
  e2m3fn: ["mxfp6-e2m3"],
  e2m1fn: ["mxfp4", "nvfp4"],
};

/** The sum over several sets of weights in one format. */
export function addedCasts([first, ...others]: readonly CastWithoutScale[]): CastWithoutScale {
  const sum = (count: "elements" | "belowNormal" | "zero") =>
    others.reduce((all, cast) => all + cast[count], first[count]);
  return { ...first, elements: sum("elements"), belowNormal: sum("belowNormal"), zero: sum("zero") };
}

/** Counts what a cast by nearest-even does to small weights. Valid for formats with subnormal numbers. */
export class CastTally {
  elements = 0;
  belowNormal = 0;
  zero = 0;
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
  }

  static of(weights: Float32Array | Float64Array, format: Format): CastTally {
    const tally = new CastTally(format);
    tally.add(weights);
    return tally;
  }

  add(weights: Float32Array | Float64Array): void {
    const { minNormal, minPositive } = this.#format;
    for (let i = 0; i < weights.length; i++) {
      const magnitude = Math.abs(weights[i]);
      if (!(magnitude < Infinity)) continue;
      this.elements += 1;
      if (magnitude < minNormal) this.belowNormal += 1;
      // Half of the smallest number is a tie, and zero is even.
      if (magnitude <= minPositive / 2) this.zero += 1;
    }
  }

  summary(): CastWithoutScale {
    const { elements, belowNormal, zero } = this;
    const { name, minNormal } = this.#format;
    return { format: name, minNormal, elements, belowNormal, zero };
  }
}

/** Casts to formats that usually have scales; weights are read once for all of them. */
export async function castsWithoutScale(
  tensors: readonly Pick<TensorInput, "start" | "weights">[],
  formats: readonly Format[],
): Promise<CastWithoutScale[]> {
  const tallies = [...new Set(formats.filter(usuallyScaled))].map((format) => new CastTally(format));
  if (tallies.length === 0) return [];
  const piece = new Float64Array(2 ** 16);
  for (const { start: first = 0, weights: values } of tensors) {
    for (let start = first; start < values.length; start += piece.length) {
      const numbers = piece.subarray(0, Math.min(piece.length, values.length - start));
      await values.read(start, numbers);
      for (const tally of tallies) tally.add(numbers);
    }
  }
  return tallies.map((tally) => tally.summary());
}
