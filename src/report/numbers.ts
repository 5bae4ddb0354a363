import type { LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { shareHalfWidth } from "../lens/study/sampling.js";

/** Formats of numbers for people, used by every renderer but JSON and CSV. */

export const missing = "–";

/** 26048 -> "26,048" */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** "1 tensor", "25 tensors" */
export function counted(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

/**
 * A share as a percentage with one decimal; only exact 0 and 1 read as 0% and 100%. A very large one, which only a share of a
 * displacement is, has three digits, as {@link ratio} has.
 */
export function percent(share: number | null): string {
  if (share === null) return missing;
  if (Math.abs(share) >= 1000) return `${(100 * share).toExponential(2)}%`;
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share < 1 && share >= 0.9995) return ">99.9%";
  return `${(100 * share).toFixed(1)}%`;
}

/** An upper bound in words, rounded up: "at most 97.4%", "at most 99.97%", "less than 100%". */
export function percentAtMost(share: number): string {
  const bound = boundAbove(share);
  return bound === null ? "less than 100%" : `at most ${bound}`;
}

/** The same in a cell: "≤ 97.4%", "< 100%". */
export function cellAtMost(share: number | null): string {
  if (share === null) return missing;
  const bound = boundAbove(share);
  return bound === null ? "< 100%" : `≤ ${bound}`;
}

/** A share as a percentage rounded up, with a second decimal where one gives 100%; null where two still do. */
function boundAbove(share: number): string | null {
  for (const [decimals, parts] of [
    [1, 1000],
    [2, 10_000],
  ]) {
    // The product may be off by an ulp or two: 0.07 * 1000 is not 70.
    const up = Math.ceil(share * parts * (1 - 2 ** -50));
    if (up < parts || share >= 1) return `${((100 * up) / parts).toFixed(decimals)}%`;
  }
  return null;
}

/** A format of shares. */
export type Percent = (share: number | null) => string;

/**
 * Formats shares of a sample of this size, to the digits supported by their 95% intervals; {@link percent} if all
 * weights were counted.
 */
export function percentIn(sample: number | undefined): Percent {
  if (sample === undefined) return percent;
  return (share) => (share === null ? missing : percentWithin(share, shareHalfWidth(share, sample)));
}

/** A share with an interval of ± half: in tenths, in whole percents, as a range, or not at all. */
export function percentWithin(share: number, half: number): string {
  if (half <= tenths) return percent(share);
  if (half <= wholes) {
    if (share > 0 && share < wholes) return "<1%";
    if (share < 1 && share >= 1 - wholes) return ">99%";
    return `${Math.round(100 * share)}%`;
  }
  if (half > 0.1) return missing;
  const [low, high] = [Math.max(0, share - half), Math.min(1, share + half)];
  return `${Math.floor(100 * low)} to ${Math.ceil(100 * high)}%`;
}

const tenths = 0.0005;
const wholes = 0.005;

/** Whether the interval of a share is narrow enough for whole percents. */
export function carriesPercents(half: number): boolean {
  return half <= wholes;
}

/** A ratio like {@link ratio}, without the digits that an interval of ± half does not support. */
export function ratioWithin(x: number, half: number): string {
  if (half > 1) return missing;
  const decimals = Math.floor(-Math.log10(2 * half) + 1e-9);
  const usual = ratio(x);
  const [, digits = ""] = /\.(\d+)$/.exec(usual) ?? [];
  if (half === 0 || (decimals >= digits.length && !usual.includes("e"))) return usual;
  if (usual.includes("e") && 2 * half <= 10 ** Math.floor(Math.log10(Math.abs(x)))) return usual;
  const rounded = x.toFixed(Math.max(0, Math.min(decimals, 3)));
  // No sign for a rounded zero.
  return Number(rounded) === 0 ? rounded.replace("-", "") : rounded;
}

/** A ratio near 1 with two decimals; a small one with more, a very large one with three digits. */
export function ratio(x: number | null): string {
  if (x === null) return missing;
  const magnitude = Math.abs(x);
  if (magnitude >= 1e5) return x.toExponential(2);
  if (x === 0 || magnitude >= 0.1) return x.toFixed(2);
  return magnitude >= 0.001 ? x.toFixed(3) : x.toExponential(0);
}

/** Six significant digits, for norms and numbers of a format in running text. */
export function short(x: number | null): string {
  if (x === null) return missing;
  const rounded = Number(x.toPrecision(6));
  const magnitude = Math.abs(rounded);
  return rounded !== 0 && (magnitude < 1e-4 || magnitude >= 1e10) ? rounded.toExponential() : String(rounded);
}

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in units of 1000, with three digits: 1234567 -> "1.23 MB" */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const rounded = Number(n.toPrecision(3));
  const power = Math.min(Math.floor(Math.log10(rounded) / 3), byteUnits.length - 1);
  return `${(rounded / 1000 ** power).toPrecision(3)} ${byteUnits[power]}`;
}

/** A count of weights at the end of a run, as a share of those that stayed finite. */
export function shareOfWeights(
  { totals, end }: Pick<LensCounts, "totals" | "end">,
  part: number,
): number | null {
  return share(part, totals.elements - end.nonfinite);
}

/** The sample size; undefined if the result is not a sample. */
export function sampleOf({ sampling, input }: Pick<Result, "sampling" | "input">): number | undefined {
  return sampling && input.elements;
}

/** part / whole, or null if the whole is 0. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
