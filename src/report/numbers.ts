import type { LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { shareHalfWidth } from "../lens/study/sampling.js";

/** Numbers as people read them. Every renderer but JSON and CSV uses these. */

export const missing = "–";

/** 26048 -> "26,048" */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** "1 tensor", "25 tensors" */
export function counted(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

/** A share as a percentage with one decimal; what is not quite none or all never reads as such. */
export function percent(share: number | null): string {
  if (share === null) return missing;
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share < 1 && share >= 0.9995) return ">99.9%";
  return `${(100 * share).toFixed(1)}%`;
}

/** How shares are told. */
export type Percent = (share: number | null) => string;

/**
 * Shares of so many weights that were drawn from a model, to the digits that their 95% intervals carry; {@link percent} where
 * none were drawn but all counted.
 */
export function percentIn(sample: number | undefined): Percent {
  if (sample === undefined) return percent;
  return (share) => (share === null ? missing : percentWithin(share, shareHalfWidth(share, sample)));
}

/** A share whose interval is so wide to either side: in tenths, in whole percents, from where to where, or not at all. */
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

/** Whether the interval of a share carries whole percents. */
export function carriesPercents(half: number): boolean {
  return half <= wholes;
}

/** A ratio as {@link ratio} tells it, without the digits that an interval so wide to either side does not carry. */
export function ratioWithin(x: number, half: number): string {
  if (half > 1) return missing;
  const decimals = Math.floor(-Math.log10(2 * half) + 1e-9);
  const usual = ratio(x);
  const [, digits = ""] = /\.(\d+)$/.exec(usual) ?? [];
  if (half === 0 || (decimals >= digits.length && !usual.includes("e"))) return usual;
  if (usual.includes("e") && 2 * half <= 10 ** Math.floor(Math.log10(Math.abs(x)))) return usual;
  const rounded = x.toFixed(Math.max(0, Math.min(decimals, 3)));
  // Of what is below zero by less than is known, no sign.
  return Number(rounded) === 0 ? rounded.replace("-", "") : rounded;
}

/** A ratio near 1, with two decimals, more where it is small. */
export function ratio(x: number | null): string {
  if (x === null) return missing;
  const magnitude = Math.abs(x);
  if (x === 0 || magnitude >= 0.1) return x.toFixed(2);
  return magnitude >= 0.001 ? x.toFixed(3) : x.toExponential(0);
}

/** Six significant digits: for norms and numbers of a format in running text. */
export function short(x: number | null): string {
  if (x === null) return missing;
  const rounded = Number(x.toPrecision(6));
  return rounded !== 0 && Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded);
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

/** How many weights were drawn, of a result that is a sample. */
export function sampleOf({ sampling, input }: Pick<Result, "sampling" | "input">): number | undefined {
  return sampling && input.elements;
}

/** part / whole, or null where there is no whole. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
