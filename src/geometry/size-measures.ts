import type { Format } from "../format/format.js";
import type { Measure, Measures, Profile } from "../lens/geometry-result.js";
import type { Changes, Margins } from "./changes.js";
import { alone, measure } from "./measures.js";
import {
  expectedChanged,
  type HalfGaps,
  halfGaps,
  type MagnitudeCounts,
  solveStorage,
  storageShares,
} from "./sizes.js";
import { deviation, mean, variance } from "./statistics.js";

/** Learning rate and steps of a run, if known. */
export interface Walk {
  readonly lr: number;
  readonly steps: number;
}

/** The share of the weights that principal and low masks take. */
export const maskShare = 0.3;

/** The measures of a matrix in which nothing changed: of the others none is defined. */
export function unchangedMeasures(
  { counts, baseSquared }: Changes,
  format: Format,
  walk: Walk | null,
): Pick<Measures, "size" | "changed"> {
  return walkMeasures({ size: 0, changed: 0 }, counts, halfGaps(counts, format), baseSquared, walk);
}

/** The measures that need no spectrum. Valid where something changed and all numbers are finite. */
export function sizeMeasures(
  changes: Changes,
  margins: Margins,
  format: Format,
  walk: Walk | null,
): Record<"size" | "changed" | "lowOverlap" | "rowSpread" | "columnSpread", Measure> {
  const { counts, rows, columns, baseSquared, changeSquared } = changes;
  const [elements, changed] = [counts.elements, counts.elementsChanged];
  const share = changed / elements;
  const gaps = halfGaps(counts, format);
  const size = Math.sqrt(changeSquared / baseSquared);
  const spread = (counted: Uint32Array, length: number, expected: Float64Array) => {
    const measured = deviation(sharesOf(counted, length));
    const within = counts.varianceOf(counts.shareBySize()) / (elements * length);
    const bySize = Math.sqrt(variance(expected) + (within * (counted.length - 1)) / counted.length);
    const chance = Math.sqrt((share * (1 - share)) / length);
    return measure(measured, "size", bySize, { others: [{ null: "chance", expected: chance }] });
  };
  const storage = storageShares(counts, gaps, solveStorage(counts, gaps));
  return {
    ...walkMeasures({ size, changed: share }, counts, gaps, baseSquared, walk),
    lowOverlap: measure(
      counts.smallest(maskShare) / changed,
      "storage",
      counts.smallest(maskShare, storage) / expectedChanged(counts, storage),
      { others: [{ null: "chance", expected: maskShare }] },
    ),
    rowSpread: spread(rows, columns.length, margins.rows),
    columnSpread: spread(columns, rows.length, margins.columns),
  };
}

/** Of a noise walk, ||dW|| = lr sqrt(steps x weights): each weight's sd is lr sqrt(steps). */
function walkMeasures(
  { size, changed }: Readonly<Record<"size" | "changed", number>>,
  counts: MagnitudeCounts,
  gaps: HalfGaps,
  baseSquared: number,
  walk: Walk | null,
): Pick<Measures, "size" | "changed"> {
  if (walk === null) {
    const reason = "learning rate and steps were not given (--lr, --steps)";
    return { size: alone(size, reason), changed: alone(changed, reason) };
  }
  const sd = walk.lr * Math.sqrt(walk.steps);
  const shown = expectedChanged(counts, storageShares(counts, gaps, sd)) / counts.elements;
  return {
    size: measure(size, "walk", (sd * Math.sqrt(counts.elements)) / Math.sqrt(baseSquared)),
    changed: measure(changed, "walk", shown),
  };
}

/** Groups of neighbours that a profile has at most. */
const mostGroups = 64;

/** Not Float64Array.from: its calls take as long as the counting (measured). */
function sharesOf(changed: Uint32Array, length: number): Float64Array {
  const shares = new Float64Array(changed.length);
  for (let i = 0; i < shares.length; i++) shares[i] = changed[i] / length;
  return shares;
}

/** Shares of rows or columns, averaged over groups of neighbours. */
export function profile(changed: Uint32Array, length: number, expected: Float64Array): Profile {
  const groups = Math.min(mostGroups, changed.length);
  const edges = Array.from({ length: groups + 1 }, (_, g) => Math.round((g * changed.length) / groups));
  const means = (sums: Float64Array) =>
    edges.slice(1).map((end, g) => Number(mean(sums.subarray(edges[g], end)).toPrecision(6)));
  return { measured: means(sharesOf(changed, length)), expected: means(expected) };
}

/** Counts of which a sum over tensors has a Jaccard index too. */
export interface SharedChanges {
  readonly shared: number;
  readonly a: number;
  readonly b: number;
  /** Expected of `shared`. */
  readonly bySize: number;
}

export function sharedChanges(a: Changes, b: Changes): SharedChanges {
  let shared = 0;
  for (let i = 0; i < a.mask!.length; i++) shared += ones(a.mask![i] & b.mask![i]);
  return { shared, a: a.counts.elementsChanged, b: b.counts.elementsChanged, bySize: sharedBySize(a, b) };
}

export function jaccardOf({ shared, a, b, bySize }: SharedChanges): Measure {
  if (a + b === 0) return { ...alone(0, "nothing changed"), measured: null };
  return measure(shared / (a + b - shared), "size", bySize / (a + b - bySize));
}

function sharedBySize(a: Changes, b: Changes): number {
  const [p, q] = [a.counts.shareBySize(), b.counts.shareBySize()];
  return a.counts.all.reduce((sum, n, i) => sum + n * p[i] * q[i], 0);
}

function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
