import type { Format } from "../format/format.js";
import { nextDown, nextUp } from "../format/neighbours.js";
import { gaussianTail } from "./statistics.js";

/**
 * Magnitudes are distinguished by the upper 16 bits of the fp32 number without its sign, which is exact in
 * bf16.
 */
export const magnitudes = 2 ** 15;

/** Magnitudes that count as one size: exponent and two leading significand bits. */
export const perSize = 2 ** 5;

/** How many weights of each magnitude there are, and how many of these changed. */
export class MagnitudeCounts {
  readonly all = new Float64Array(magnitudes);
  readonly changed = new Float64Array(magnitudes);
  #occurring: Uint16Array | null = null;
  #shares: Float64Array | null = null;

  /**
   * The magnitudes that occur, in ascending order, once all is counted. A matrix has a tenth of all or fewer: loops over these are
   * soon over.
   */
  get occurring(): Uint16Array {
    if (this.#occurring !== null) return this.#occurring;
    const found = new Uint16Array(magnitudes);
    let count = 0;
    for (let i = 0; i < magnitudes; i++) if (this.all[i] !== 0) found[count++] = i;
    this.#occurring = found.subarray(0, count);
    return this.#occurring;
  }

  get elements(): number {
    return this.#sumOf(this.all);
  }

  get elementsChanged(): number {
    return this.#sumOf(this.changed);
  }

  /** By magnitude the share of its size that changed; to be read only. Valid once all is counted. */
  shareBySize(): Float64Array {
    this.#shares ??= this.#shareBySize();
    return this.#shares;
  }

  #shareBySize(): Float64Array {
    const shares = new Float64Array(magnitudes);
    const occurring = this.occurring;
    for (let n = 0; n < occurring.length; ) {
      const start = occurring[n] - (occurring[n] % perSize);
      let [all, changed] = [0, 0];
      for (; n < occurring.length && occurring[n] < start + perSize; n++) {
        all += this.all[occurring[n]];
        changed += this.changed[occurring[n]];
      }
      shares.fill(changed / all, start, start + perSize);
    }
    return shares;
  }

  #sumOf(counts: Float64Array): number {
    let sum = 0;
    // Not by reduce, whose calls take longer than the rest of what is done once a matrix (measured).
    const occurring = this.occurring;
    for (let n = 0; n < occurring.length; n++) sum += counts[occurring[n]];
    return sum;
  }

  /** The sum of p (1 - p) over all weights. */
  varianceOf(shares: Float64Array): number {
    let sum = 0;
    const [all, occurring] = [this.all, this.occurring];
    for (let n = 0; n < occurring.length; n++) {
      const share = shares[occurring[n]];
      sum += all[occurring[n]] * share * (1 - share);
    }
    return sum;
  }

  /**
   * The smallest `share` of the weights: how many changed there, by counts or by other shares. Ties at the
   * boundary are equally likely to belong to it.
   */
  smallest(share: number, shares?: Float64Array): number {
    let left = Math.round(share * this.elements);
    let sum = 0;
    const occurring = this.occurring;
    for (let n = 0; n < occurring.length && left > 0; n++) {
      const i = occurring[n];
      const taken = Math.min(left, this.all[i]);
      sum += shares ? taken * shares[i] : (taken * this.changed[i]) / this.all[i];
      left -= taken;
    }
    return sum;
  }
}

const word = new Uint32Array(1);
const numberOfWord = new Float32Array(word.buffer);

/** The number whose upper bits a magnitude is. */
export function magnitudeNumber(magnitude: number): number {
  word[0] = magnitude << 16;
  return numberOfWord[0];
}

/** Half the gaps above and below each magnitude that occurs, in the format that was compared. */
export interface HalfGaps {
  readonly up: Float64Array;
  readonly down: Float64Array;
}

/** Those of magnitudes that occurred before: models have the same ones again and again. */
const knownGaps = new WeakMap<Format, HalfGaps>();

export function halfGaps({ occurring }: MagnitudeCounts, format: Format): HalfGaps {
  let known = knownGaps.get(format);
  if (known === undefined) {
    const unknown = () => new Float64Array(magnitudes).fill(Number.NaN);
    known = { up: unknown(), down: unknown() };
    knownGaps.set(format, known);
  }
  const up = new Float64Array(magnitudes);
  const down = new Float64Array(magnitudes);
  for (let n = 0; n < occurring.length; n++) {
    const i = occurring[n];
    if (Number.isNaN(known.up[i])) [known.up[i], known.down[i]] = halfGapsOf(magnitudeNumber(i), format);
    up[i] = known.up[i];
    down[i] = known.down[i];
  }
  return { up, down };
}

function halfGapsOf(w: number, format: Format): [up: number, down: number] {
  // In formats of more bits a magnitude stands for many numbers, which have the gap above its first.
  const above = (nextUp(w, format) - w) / 2;
  const down = format.precision > 8 ? above : (w - nextDown(w, format)) / 2;
  // The largest number has no upper neighbour.
  return [Number.isFinite(above) ? above : down, down];
}

/**
 * The storage null: every weight is moved by an independent Gaussian, which shows if it exceeds half the gap
 * to the next number.
 *
 * @param sd of the move.
 * @returns the probability that it shows, by magnitude.
 */
export function storageShares(
  { occurring }: MagnitudeCounts,
  { up, down }: HalfGaps,
  sd: number,
): Float64Array {
  const shares = new Float64Array(magnitudes);
  if (!(sd > 0)) return shares;
  const [above, below] = [tails(sd), tails(sd)];
  for (let n = 0; n < occurring.length; n++) {
    const i = occurring[n];
    shares[i] = above(up[i]) + below(down[i]);
  }
  return shares;
}

/**
 * The chance of a move beyond a distance. Numbers of one exponent have the same gaps, so the last result is
 * usually reused.
 */
function tails(sd: number): (distance: number) => number {
  let [known, chance] = [Number.NaN, 0];
  return (distance) => {
    if (distance !== known) [known, chance] = [distance, gaussianTail(distance / sd)];
    return chance;
  };
}

/** The expected number of changed weights. */
export function expectedChanged({ all, occurring }: MagnitudeCounts, shares: Float64Array): number {
  let sum = 0;
  for (let n = 0; n < occurring.length; n++) sum += all[occurring[n]] * shares[occurring[n]];
  return sum;
}

/** The sd by which the storage null changes as many weights as did change: by bisection of its logarithm. */
export function solveStorage(counts: MagnitudeCounts, gaps: HalfGaps): number {
  const changedWeights = counts.elementsChanged;
  const groups = gapGroups(counts, gaps);
  let [low, high] = [-160, 160];
  for (let rounds = 0; rounds < 48; rounds++) {
    const middle = (low + high) / 2;
    const sd = 2 ** middle;
    const [above, below] = [tails(sd), tails(sd)];
    let expected = 0;
    for (const { weights, up, down } of groups) expected += weights * (above(up) + below(down));
    if (expected < changedWeights) low = middle;
    else high = middle;
  }
  return 2 ** ((low + high) / 2);
}

interface GapGroup {
  weights: number;
  readonly up: number;
  readonly down: number;
}

/** Neighbouring magnitudes with the same gaps together: two groups an exponent, where magnitudes are thousands. */
function gapGroups({ all, occurring }: MagnitudeCounts, { up, down }: HalfGaps): GapGroup[] {
  const groups: GapGroup[] = [];
  for (let n = 0; n < occurring.length; n++) {
    const i = occurring[n];
    const last = groups.at(-1);
    if (last?.up === up[i] && last.down === down[i]) last.weights += all[i];
    else groups.push({ weights: all[i], up: up[i], down: down[i] });
  }
  return groups;
}
