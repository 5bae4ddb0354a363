import { exponentOf } from "../format/float64.js";
import type { Format } from "../format/format.js";
import { ulpExponent } from "../format/neighbours.js";

/** The classes of updates with a magnitude: finite and nonzero. */
export const sizedClasses = ["lost", "kept", "moved"] as const;
export type SizedClass = (typeof sizedClasses)[number];

/** No bin lies beyond: |u| and ulp(w) are powers of two from 2^-149 to 2^127, times less than 2. */
export const outermostBin = 276;

/**
 * Weight-steps by floor(log2(|u| / ulp(w))), w the stored weight before the step: exact integers, since an ulp is
 * a power of two. Half a gap is the lower edge of bin -1.
 */
export class Histogram {
  /** Sparse: a checkpoint has thousands of tensors with some thirty bins each. */
  readonly #counts: Readonly<Record<SizedClass, Map<number, number>>> = {
    lost: new Map(),
    kept: new Map(),
    moved: new Map(),
  };

  add(className: SizedClass, bin: number, count: number): void {
    const counts = this.#counts[className];
    counts.set(bin, (counts.get(bin) ?? 0) + count);
  }

  merge(other: Histogram): void {
    for (const className of sizedClasses) {
      for (const [bin, count] of other.#counts[className]) this.add(className, bin, count);
    }
  }

  /** The bins from the first to the last nonempty one. */
  toJSON(): HistogramJson {
    const bins = sizedClasses.flatMap((className) => [...this.#counts[className].keys()]);
    if (bins.length === 0) return { firstBin: null, lost: [], kept: [], moved: [] };
    const firstBin = Math.min(...bins);
    const length = Math.max(...bins) - firstBin + 1;
    const row = (className: SizedClass) =>
      Array.from({ length }, (_, i) => this.#counts[className].get(firstBin + i) ?? 0);
    return { firstBin, lost: row("lost"), kept: row("kept"), moved: row("moved") };
  }

  static fromJSON({ firstBin, ...counts }: HistogramJson): Histogram {
    const histogram = new Histogram();
    for (const className of sizedClasses) {
      counts[className].forEach((count, i) => {
        if (count > 0) histogram.add(className, (firstBin ?? 0) + i, count);
      });
    }
    return histogram;
  }
}

/** Counts of bin `firstBin`, `firstBin` + 1, ... for each class; `firstBin` is null where nothing was counted. */
export interface HistogramJson {
  readonly firstBin: number | null;
  readonly lost: readonly number[];
  readonly kept: readonly number[];
  readonly moved: readonly number[];
}

/** The bin of an update: floor(log2(|u| / ulp(w))). Valid for finite u other than 0 and finite w. */
export function bin(update: number, weight: number, format: Format): number {
  return exponentOf(update) - ulpExponent(weight, format);
}

/**
 * The bin of an update where the gap is no power of two, because a scale is not: floor(log2 of the quotient in fp64). Valid
 * for finite u other than 0.
 */
export function binOfGap(update: number, gap: number): number {
  return Math.max(-outermostBin, Math.min(outermostBin, exponentOf(update / gap)));
}
