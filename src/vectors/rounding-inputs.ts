import type { Format } from "../format/format.js";
import type { Draw } from "./draw.js";
import { type NumberSource, numberAt } from "./number-source.js";

/** Test vectors as TestFloat has them: a few thousand, some hundred thousand, or all there are. */
export const levels = ["1", "2", "exhaustive"] as const;
export type Level = (typeof levels)[number];

/** Formats of so few bits have every number and midpoint among the inputs of level 2. */
const enumerableBits = 19;

/** Codes with these distances from a binade's ends and middle are in level 1. */
const fromEnds = [0, 1, 2, 3];

/**
 * The inputs at which a rounding to `format` can change its mind: numbers of the format, midpoints, the overflow
 * threshold, each with its neighbours in the format that the inputs come in, with both signs; then zeros, infinities, NaN,
 * the extremes of the source. Level 1 has a few of each binade, level 2 all of formats up to 19 bits and some random
 * numbers.
 */
export function* roundingInputs(
  format: Format,
  source: NumberSource,
  level: Level,
  draw: Draw,
): Generator<number> {
  for (const x of extremesOf(format, source)) yield* [x, -x];
  yield NaN;
  for (const code of codesOf(format, level)) {
    const number = numberAt(code, format);
    const midpoint = (number + numberAt(code + 1, format)) / 2;
    for (const center of [number, midpoint]) {
      for (const x of around(center, source, level)) {
        yield x;
        yield -x;
      }
    }
  }
  const random = { "1": 2_000, "2": 50_000, exhaustive: 50_000 }[level];
  for (let i = 0; i < random; i++) yield draw.anyNumber(source);
}

/** Whether level 2 has every input at which the result can change. */
export function isEnumerable(format: Format): boolean {
  return format.bits <= enumerableBits;
}

function* codesOf(format: Format, level: Level): Generator<number> {
  const { maxFiniteCode, precision } = format;
  if (maxFiniteCode < 256 || (level !== "1" && isEnumerable(format))) {
    for (let code = 0; code <= maxFiniteCode; code++) yield code;
    return;
  }
  const binade = 2 ** (precision - 1);
  const ends = level === "1" ? fromEnds : Array.from({ length: 24 }, (_, i) => i);
  const offsets = new Set(
    [
      ...ends.flatMap((n) => [n, binade - 1 - n, binade / 2 + n, binade / 2 - 1 - n]),
      ...powers(binade),
    ].filter((n) => n >= 0 && n < binade),
  );
  for (let start = 0; start <= maxFiniteCode; start += binade) {
    for (const offset of offsets) if (start + offset <= maxFiniteCode) yield start + offset;
  }
}

function powers(binade: number): number[] {
  return binade > 256 ? [] : Array.from({ length: Math.log2(binade) }, (_, i) => 2 ** i);
}

function* around(center: number, source: NumberSource, level: Level): Generator<number> {
  yield source.near(center, 0);
  yield source.near(center, 1);
  yield source.near(center, -1);
  // A hair that fp32, on the way from fp64, does not have.
  if (level === "1" && source.format === null && Number.isFinite(center)) {
    yield center * (1 + 2 ** -24);
    yield center * (1 - 2 ** -26);
  }
}

function extremesOf(format: Format, source: NumberSource): number[] {
  const { maxFinite, minNormal, minPositive } = format;
  const beyond = [maxFinite * 1.01, maxFinite * 1.5, maxFinite * 2, maxFinite * 4, maxFinite * 2 ** 10];
  const tiny = [minPositive / 4, minPositive / 2 ** 10, minPositive / 2 ** 30, minNormal * 0.75];
  const ofSource = source.format
    ? [source.format.maxFinite, source.format.minNormal, source.format.minPositive]
    : [Number.MAX_VALUE, 2 ** 128, 2 ** -149, 2 ** -150, 2 ** -1022, Number.MIN_VALUE];
  return [0, Infinity, ...[...beyond, ...tiny, ...ofSource].map((x) => source.near(x, 0))];
}
