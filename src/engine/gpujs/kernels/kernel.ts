import { blockLength, laneCount } from "../../../lens/sum.js";

/**
 * Kernels are text in gpu.js's subset of JavaScript. It would use `Function.toString()` anyway, and text survives every
 * minifier. The parameters of formats are written into the text.
 *
 * No shading language guarantees what the reference relies on: it may flush subnormals, assume that NaN and Inf are
 * absent, fuse a * b + c, reorder terms, and approximate divisions and logarithms. Therefore kernels only use
 * operations that are exact however they are evaluated: products with powers of two, floor, comparisons, and sums and
 * products of integers below 2^24. The one operation that rounds is the addition of two fp32 numbers under fp32
 * opmath. The self-check rejects a device that does not round it to nearest-even.
 */

/** A function that kernels may call. All arguments and the result are numbers. */
export interface KernelFunction {
  readonly source: string;
  readonly arguments: readonly string[];
}

/** The output of one thread: one number, or the four of a vector. */
export interface Kernel {
  /** What it computes, for messages. */
  readonly name: string;
  readonly source: string;
  readonly functions: readonly KernelFunction[];
}

/** A number as kernel text. */
export function literal(x: number): string {
  const text = String(x);
  return x < 0 ? `(${text})` : text;
}

/** 2^k for k from -126 to 127 at index k + 126; `this.constants.powers` in every kernel. */
export const powers = Float32Array.from({ length: 254 }, (_, i) => 2 ** (i - 126));

/**
 * The encoding of -0 on a device, which may not keep the sign of a zero: a value that no weight or update has there,
 * see domain.ts.
 */
export const negativeZero = -(2 ** -126);

/** Represents a number that is no longer finite in the format. */
export const goneNumber = 2 ** 120;
/** Magnitudes from here on count as overflowed; the domain stays far below. */
export const goneFrom = 2 ** 115;

/** Decodes a device value; -0 becomes 0. */
export const plain: KernelFunction = {
  arguments: ["x"],
  source: `function plain(x) {
    return x === ${literal(negativeZero)} ? 0 : x;
  }`,
};

/** 1 for a value that is no longer finite. */
export const gone: KernelFunction = {
  arguments: ["x"],
  source: `function gone(x) {
    return Math.abs(x) >= ${literal(goneFrom)} ? 1 : 0;
  }`,
};

/**
 * floor(log2 a). Valid for a from 2^-126 to 2^126. The device's logarithm may be off by one near powers of two; the
 * comparisons correct that.
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
 * The loop of a thread over the 512 elements of lane thread.x of block thread.y, for sums and counts. Eight
 * neighbouring threads read neighbouring elements.
 */
export function overLane(body: string): string {
  return `for (let j = 0; j < ${blockLength / laneCount}; j++) {
      const i = this.thread.y * ${blockLength} + j * ${laneCount} + this.thread.x;
      ${body}
    }`;
}
