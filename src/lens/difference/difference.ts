import type { Format } from "../../format/format.js";
import { round } from "../../format/round.js";
import { CastTally, usuallyScaled } from "../cast.js";
import { pathNotTakenUnchanged, smallSubnetworksUnchanged } from "../probes.js";
import { type ChangedCounts, changedJson, mergedShared, type SharedTally } from "../shared-tally.js";
import { blockLength, ExactSum, SparseSum } from "../sum.js";
import { type ComparedFormat, distanceBin, distanceBins, ulpDistance } from "../ulp-distance.js";

/** The counts of a tensor before and after, or of any set of such pairs. Merging is exact. */
export class DifferenceTally {
  elements = 0;
  /** Before or after is NaN or Inf in the compared format: in none of the counts below but the next. */
  nonfinite = 0;
  /** Of these, not the same on both sides. NaN is the same as NaN. */
  nonfiniteChanged = 0;
  /** The same number on both sides, in the compared format; +0 = -0. */
  unchanged = 0;
  /**
   * The bytes of the compared format differ, of nonfinite numbers too: +0 is not -0, and one NaN not another.
   * If numbers were rounded or computed for comparison, NaN has one code.
   */
  bytesChanged = 0;
  /** Unchanged in the compared format, though the numbers in the files differ. */
  hidden = 0;
  /** All its updates were zero; only counted if updates are known. */
  neverUpdated = 0;
  /** From below zero to above it, or back. */
  signFlips = 0;
  /** Unchanged by the published probes. */
  pathNotTaken = 0;
  smallSubnetworks = 0;
  /** Of AFTER, where it was rounded to a format that usually has scales; see CastWithoutScale. */
  cast = 0;
  castBelowNormal = 0;
  castZero = 0;
  /** Where both sides are codes of one format with scales: the codes compared, those that differ, and those that are the
   * same though the numbers, in fp32, are not. */
  codes = 0;
  codesChanged = 0;
  changedByScale = 0;
  /** Their scales and the bytes of these. */
  scales = 0;
  scalesChanged = 0;
  scaleBytes = 0;
  scaleBytesChanged = 0;
  /** Where scales are shared: finite elements whose number changed, be it by code or by scale; and codes and scales. */
  numbersChanged = 0;
  shared: SharedTally | null = null;
  /** Changed elements by their distance in ulps; see distanceBin. */
  readonly distances = new Float64Array(distanceBins);
  /** Sum of d^2 over changed elements, d the {@link displacement}: a {@link SparseSum} for each block. */
  readonly displacementSquared = new ExactSum();

  /** Finite elements whose number changed. */
  get changed(): number {
    return this.elements - this.nonfinite - this.unchanged;
  }

  /** Counts elements that are finite and the same on both sides, to the bit. */
  addSame(elements: number): void {
    for (const field of ["elements", "unchanged", "pathNotTaken", "smallSubnetworks"] as const) {
      this[field] += elements;
    }
  }

  merge(other: DifferenceTally): void {
    for (const field of counted) this[field] += other[field];
    for (let bin = 0; bin < distanceBins; bin++) this.distances[bin] += other.distances[bin];
    this.displacementSquared.addAll(other.displacementSquared);
    this.shared = mergedShared(this.shared, other.shared);
    this.numbersChanged += other.numbersChanged;
  }

  toJSON(): DifferenceTallyJson {
    const counts = Object.fromEntries(counted.map((field) => [field, this[field]])) as Record<
      Counted,
      number
    >;
    return {
      ...counts,
      distances: binCounts(this.distances),
      displacementSquared: this.displacementSquared.parts(),
      ...(this.shared && { shared: { ...changedJson(this.shared), numbers: this.numbersChanged } }),
    };
  }

  static fromJSON(json: DifferenceTallyJson): DifferenceTally {
    const tally = new DifferenceTally();
    for (const field of counted) tally[field] = json[field] ?? 0;
    tally.distances.set(json.distances);
    tally.displacementSquared.addAll(ExactSum.of(json.displacementSquared));
    tally.shared = mergedShared(null, json.shared ?? null);
    tally.numbersChanged = json.shared?.numbers ?? 0;
    return tally;
  }
}

const counted = [
  "elements",
  "nonfinite",
  "nonfiniteChanged",
  "unchanged",
  "bytesChanged",
  "hidden",
  "neverUpdated",
  "signFlips",
  "pathNotTaken",
  "smallSubnetworks",
  "cast",
  "castBelowNormal",
  "castZero",
  "codes",
  "codesChanged",
  "changedByScale",
  "scales",
  "scalesChanged",
  "scaleBytes",
  "scaleBytesChanged",
] as const;
type Counted = (typeof counted)[number];

/** A tally as JSON: its counts, the bins up to the last that holds anything, an exact sum as its parts. */
export interface DifferenceTallyJson extends Readonly<Record<Counted, number>> {
  readonly distances: readonly number[];
  readonly displacementSquared: readonly number[];
  readonly shared?: ChangedCounts & { readonly numbers: number };
}

/** Counts by distance, without the empty bins at the end. */
export function binCounts(distances: Float64Array): number[] {
  return [...distances.subarray(0, distances.findLastIndex((count) => count > 0) + 1)];
}

/** The numbers of a tensor's elements from a multiple of {@link blockLength} on, as the files store them. */
export interface StoredNumbers {
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** Where updates are known: 0 for each element whose updates all were zero. */
  readonly updated?: Uint8Array | null;
  /** Where they are stored in the compared format: the codes. */
  readonly codes?: Readonly<Record<"before" | "after", ArrayLike<number>>>;
}

/**
 * Compares what the files store, rounded to the compared format by nearest-even: the specification for
 * `difference-codes.ts`, and the fallback for formats without a faster comparison. Adds to the tally.
 */
export function compareNumbers(numbers: StoredNumbers, format: ComparedFormat, tally: DifferenceTally): void {
  const squares = new SparseSum();
  for (let start = 0; start < numbers.before.length; start += blockLength) {
    const end = Math.min(start + blockLength, numbers.before.length);
    for (let i = start; i < end; i++) compareElement(numbers, i, format, tally, squares);
    tally.displacementSquared.add(squares.end());
  }
  if (format !== "fp64" && usuallyScaled(format) && !numbers.codes) countCast(numbers.after, format, tally);
}

function countCast(after: Float64Array, format: Format, tally: DifferenceTally): void {
  const { elements, belowNormal, zero } = CastTally.of(after, format);
  tally.cast += elements;
  tally.castBelowNormal += belowNormal;
  tally.castZero += zero;
}

function compareElement(
  { before, after, updated, codes }: StoredNumbers,
  i: number,
  format: ComparedFormat,
  tally: DifferenceTally,
  squares: SparseSum,
): void {
  const [a, b] =
    format === "fp64" ? [before[i], after[i]] : [round(before[i], format), round(after[i], format)];
  tally.elements += 1;
  if (codes ? codes.before[i] !== codes.after[i] : !Object.is(a, b)) tally.bytesChanged += 1;
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    tally.nonfinite += 1;
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) tally.nonfiniteChanged += 1;
    return;
  }
  if (updated && updated[i] === 0) tally.neverUpdated += 1;
  if (pathNotTakenUnchanged(a, b)) tally.pathNotTaken += 1;
  if (smallSubnetworksUnchanged(a, b)) tally.smallSubnetworks += 1;
  if (a === b) {
    tally.unchanged += 1;
    if (before[i] !== after[i]) tally.hidden += 1;
    return;
  }
  if ((a < 0 && b > 0) || (a > 0 && b < 0)) tally.signFlips += 1;
  tally.distances[distanceBin(ulpDistance(a, b, format))] += 1;
  const d = displacement(a, b);
  squares.add(d * d);
}

const mostFloat32 = (2 - 2 ** -23) * 2 ** 127;

/** after - before as an fp32 number; beyond the largest of these, that one. */
export function displacement(before: number, after: number): number {
  const d = Math.fround(after - before);
  return Number.isFinite(d) ? d : Math.sign(d) * mostFloat32;
}
