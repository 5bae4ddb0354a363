import { decodeTable } from "../format/encode.js";
import { type TensorInput, valuesOf } from "../lens/input.js";
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
 * format, midpoints and their neighbours; blocks of zeros, of one number, of one number among zeros, with NaN and
 * Inf. The first of three steps has small updates, the second moves scales while most updates are zero, the third
 * has updates of all sizes. One tensor has blocks along rows; if the tensor has a scale, or blocks have several
 * rows, there is one tensor per size of number. The last tensor has rows that end in short blocks and is longer than a
 * chunk; it is left out where codes are updated, since not all engines that take these take such rows.
 */
export function hardBlockJob({ blocks, scheme, scales }: BlockSettings): Omit<LensJob, "cases"> {
  const { rows, columns, element, rule } = blocks;
  // A block of several rows is a matrix of its own, shorter than the format allows.
  const isPlain = rows === 1 && rule.tensorScale === null;
  const [matrix, length] = rows === 1 ? [[columns], columns] : [[2, 16], 32];
  const numbers = [...decodeTable(element)].filter(Number.isFinite);
  const midpoints = numbers.slice(1).map((x, i) => (x + numbers[i]) / 2);
  const parts = [...numbers, ...midpoints, ...midpoints.map((x) => x * (1 + 2 ** -22))];
  const block = (numberAt: (i: number) => number) => Array.from({ length }, (_, i) => numberAt(i));
  const filled = exponents.map((exponent, e) =>
    significands
      // The first and the last significand belong to the binades below and above.
      .map((m) => m * 2 ** exponent)
      .filter((largest) => largest < 2 ** 128)
      .map((largest, s) =>
        block((i) => {
          if (i === (7 * s + e) % length) return s % 2 === 0 ? largest : -largest;
          const part = parts[(11 * i + 5 * s + 17 * e) % parts.length];
          // The same parts occur with a scale that clips none of them, and with half that scale.
          return Math.max(-largest, Math.min(largest, part * 2 ** (exponent - element.maxExponent)));
        }),
      ),
  );
  const special = [
    block(() => 0),
    block(() => -0),
    block(() => -1.75),
    block((i) => (i === 9 ? 448 : 0)),
    block((i) => 2 ** -149 * i),
    block((i) => (i === 0 ? 1 : 2 ** (-4 * i))),
  ];
  const nonfinite = [block((i) => (i === 3 ? Number.NaN : 1)), block((i) => (i === 14 ? -Infinity : i))];
  const job = { stepNumbers: [0, 1, 2], milestones: [1], chunk: blockLength };
  const named = (name: string, some: readonly (readonly number[])[], finite = true) =>
    tensorOf(name, [some.length, ...matrix], some.flat(), finite);
  const cut = Array.from({ length: 130 * 40 }, (_, i) => {
    const [a, b] = threefry2x32([7, 8], [i, 0]);
    return (a * 2 ** -32 - 0.5) * 2 ** -(b % 8);
  });
  const ofScale = () => [
    ...filled.map((some, e) => named(`2^${exponents[e]}`, some)),
    named("special", special),
    ...nonfinite.map((some, i) => named(`nonfinite ${i}`, [some, ...special, ...filled[0]], false)),
  ];
  const tensors = isPlain
    ? [named("blocks", [...special, ...nonfinite, ...filled.flat()], false)]
    : ofScale();
  const fromCodes = scheme !== "master" && scales === "renewed";
  return { ...job, tensors: fromCodes ? tensors : [...tensors, tensorOf("cut", [130, 40], cut, true)] };
}

/** Three steps, in the last of which some updates are NaN or Inf unless the tensor is finite. */
function tensorOf(
  name: string,
  shape: readonly number[],
  numbers: readonly number[],
  finite: boolean,
): TensorInput {
  const weights = numbers.map(Math.fround);
  const draws = weights.map((_, i) => threefry2x32([5, 6], [i, 0]));
  const small = weights.map((w, i) => (draws[i][0] % 5 === 0 ? 0 : w * (draws[i][1] * 2 ** -42 - 2 ** -11)));
  const scales = weights.map((w, i) =>
    draws[i][0] % 41 === 0 ? [w, -w / 2, -w, 3 * w][draws[i][1] % 4] : 0,
  );
  const any = weights.map((w, i) => {
    const [a, b] = draws[i];
    if (!finite && a % 397 === 0) return [Number.NaN, Infinity, -Infinity, 2 ** 127][b % 4];
    return (a % 2 === 0 ? w : 2 ** -20) * (2 ** -(b % 16) - 2 ** -9);
  });
  const updates = [small, scales, any].map((step) => valuesOf(step.map(Math.fround)));
  return { name, shape, weights: valuesOf(weights), updates };
}
