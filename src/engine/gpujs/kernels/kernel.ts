import { blockLength, laneCount } from "../../../lens/sum.js";

/**
 * Kernels are text in the JavaScript that gpu.js takes: it would read them by `Function.toString()` anyway, and text
 * survives every minifier. Numbers of formats are written into the text.
 *
 * No shading language promises what the reference relies on: subnormals may be flushed, NaN and Inf assumed absent,
 * a * b + c fused, divisions, logarithms and the order of terms are free. So kernels are made of steps that are
 * exact however they are carried out: products with powers of two, floor, comparisons, and sums and products of
 * integers below 2^24. One operation does round: the addition of two fp32 numbers that fp32 arithmetic asks for.
 * A device that does not round it to nearest-even is refused by the self-check.
 */

/** A function that kernels may call. All arguments and the result are numbers. */
export interface KernelFunction {
  readonly source: string;
  readonly arguments: readonly string[];
}

/** The output of one thread: one number, or the four of a vector. */
export interface Kernel {
  /** What it makes, for people. */
  readonly name: string;
  readonly source: string;
  readonly functions: readonly KernelFunction[];
}

/** A number as kernel text. */
export function literal(x: number): string {
  const text = String(x);
  return x < 0 ? `(${text})` : text;
}

/** 2^k for k from -126 to 127 at index k + 126: what every kernel has as `this.constants.powers`. */
export const powers = Float32Array.from({ length: 254 }, (_, i) => 2 ** (i - 126));

/**
 * How -0 is written on a device, which may not keep the sign of a zero: a number that no weight and no update has
 * there, see domain.ts.
 */
export const negativeZero = -(2 ** -126);

/** Represents a number that is no longer finite in the format. */
export const goneNumber = 2 ** 120;
/** Magnitudes from here on count as overflowed; the domain stays far below. */
export const goneFrom = 2 ** 115;

/** The number that a device value means: -0 is a zero. */
export const plain: KernelFunction = {
  arguments: ["x"],
  source: `function plain(x) {
    return x === ${literal(negativeZero)} ? 0 : x;
  }`,
};

/** 1 for a value that left the finite numbers. */
export const gone: KernelFunction = {
  arguments: ["x"],
  source: `function gone(x) {
    return Math.abs(x) >= ${literal(goneFrom)} ? 1 : 0;
  }`,
};

/**
 * The exponent of a power of two at most `a`, at least half of it. Valid for a from 2^-126 to 2^126. The logarithm
 * may be off by one near powers of two, which the comparisons put right.
 */
export const exponentOf: KernelFunction = {
  arguments: ["a"],
  source: `function exponentOf(a) {
    let exponent = Math.max(Math.min(Math.floor(Math.log2(a)), 126), -126);
    const power = this.constants.powers[exponent + 126];
    if (a < power) {
      exponent = exponent - 1;
    } else if (a * 0.5 >= power) {
      exponent = exponent + 1;
    }
    return exponent;
  }`,
};

/**
 * The loop of a thread over the 512 elements of one lane of one block, thread.x and thread.y: what sums and counts
 * go by. Eight neighbouring threads read neighbouring elements.
 */
export function overLane(body: string): string {
  return `for (let j = 0; j < ${blockLength / laneCount}; j++) {
      const i = this.thread.y * ${blockLength} + j * ${laneCount} + this.thread.x;
      ${body}
    }`;
}
