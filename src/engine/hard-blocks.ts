import { decodeTable } from "../format/encode.js";
import type { TensorInput, Values } from "../lens/input.js";
import { blockLength } from "../lens/sum.js";
import type { BlockSettings } from "../update/block-settings.js";
import { threefry2x32 } from "../update/threefry.js";
import type { LensJob } from "./engine.js";

/** Blocks that expose errors in scales and elements, for the engines' self-check. */

/** Exponents of the largest number of a block: typical ones, and the limits of fp32. */
const exponents = [0, -6, 9, -30, 126, 127, -125, -126, -140];

/** Its significands: those at which a rule may double the scale, and their fp32 neighbours. */
const significands = [1, 1.25, 1.5, 1.75, 1.875, 1.9375, 2].flatMap((m) => [m - 2 ** -23, m, m + 2 ** -23]);

/**
 * Blocks whose largest number has each threshold significand of the rules, filled with numbers of the element
 * format, midpoints and their neighbours; blocks of zeros, of one number, of one number among zeros, with NaN
 * and Inf. Of three steps the first is small, the second moves scales while most updates are zero, the third
 * is of any size.
 */
export function hardBlockJob({ blocks }: BlockSettings): Omit<LensJob, "cases"> {
  const { columns, element } = blocks;
  const numbers = [...decodeTable(element)].filter(Number.isFinite);
  const midpoints = numbers.slice(1).map((x, i) => (x + numbers[i]) / 2);
  const parts = [...numbers, ...midpoints, ...midpoints.map((x) => x * (1 + 2 ** -22))];
  const filled = exponents.flatMap((exponent, e) =>
    significands
      // The first and the last significand belong to the binades below and above.
      .map((m) => m * 2 ** exponent)
      .filter((largest) => largest < 2 ** 128)
      .map((largest, s) =>
        Array.from({ length: columns }, (_, i) => {
          if (i === (7 * s + e) % columns) return s % 2 === 0 ? largest : -largest;
          const part = parts[(11 * i + 5 * s + 17 * e) % parts.length];
          // The same parts occur with a scale that clips none of them, and with half that scale.
          return Math.max(-largest, Math.min(largest, part * 2 ** (exponent - element.maxExponent)));
        }),
      ),
  );
  const row = (numberAt: (i: number) => number) => Array.from({ length: columns }, (_, i) => numberAt(i));
  const special = [
    row(() => 0),
    row(() => -0),
    row(() => -1.75),
    row((i) => (i === 9 ? 448 : 0)),
    row((i) => (i === 3 ? Number.NaN : 1)),
    row((i) => (i === 30 ? -Infinity : i)),
    row((i) => 2 ** -149 * i),
    row((i) => (i === 0 ? 1 : 2 ** (-4 * i))),
  ];
  const weights = [...special, ...filled].flat().map(Math.fround);
  const draws = weights.map((_, i) => threefry2x32([5, 6], [i, 0]));
  const small = weights.map((w, i) => (draws[i][0] % 5 === 0 ? 0 : w * (draws[i][1] * 2 ** -42 - 2 ** -11)));
  const scales = weights.map((w, i) =>
    draws[i][0] % 41 === 0 ? [w, -w / 2, -w, 3 * w][draws[i][1] % 4] : 0,
  );
  const any = weights.map((w, i) => {
    const [a, b] = draws[i];
    if (a % 397 === 0) return [Number.NaN, Infinity, -Infinity, 2 ** 127][b % 4];
    return (a % 2 === 0 ? w : 2 ** -20) * (2 ** -(b % 16) - 2 ** -9);
  });
  const updates = [small, scales, any].map((step) => valuesOf(step.map(Math.fround)));
  const tensors: TensorInput[] = [
    { name: "blocks", shape: [weights.length / columns, columns], weights: valuesOf(weights), updates },
  ];
  return { tensors, stepNumbers: [0, 1, 2], milestones: [1], chunk: blockLength };
}

function valuesOf(numbers: readonly number[]): Values {
  return {
    length: numbers.length,
    read: async (start, into) => {
      for (let i = 0; i < into.length; i++) into[i] = numbers[start + i];
    },
  };
}
