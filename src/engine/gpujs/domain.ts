import { blockLength } from "../../lens/sum.js";
import { goneFrom, negativeZero } from "./kernels/kernel.js";

/**
 * The numbers passed to a device, and their encoding there. A device may flush subnormals, assume that NaN and
 * Inf do not occur, and drop the sign of a zero. Therefore it only gets blocks whose weights and updates are
 * zero or have a magnitude from 2^-80 to 2^100. All of these, and every sum and rounding of them, are multiples
 * of 2^-103, so no result is subnormal. -0 is encoded as `negativeZero`. Blocks with other numbers are left to
 * the reference.
 */
const leastMagnitude = 2 ** -80;
const mostMagnitude = 2 ** 100;

/** Whether a number is in the device's domain. */
export function isInDomain(x: number): boolean {
  const magnitude = Math.abs(x);
  return x === 0 || (magnitude >= leastMagnitude && magnitude <= mostMagnitude && Math.fround(x) === x);
}

/**
 * Numbers as encoded for a device, padded with zeros to whole blocks. A block with a number outside the domain is set
 * to zeros and its index is added to `outside`.
 */
export function toDevice(numbers: Float32Array | Float64Array, outside: Set<number>): Float32Array {
  const blocks = Math.ceil(numbers.length / blockLength);
  const written = new Float32Array(blocks * blockLength);
  for (let block = 0; block < blocks; block++) {
    const start = block * blockLength;
    const end = Math.min(start + blockLength, numbers.length);
    for (let i = start; i < end; i++) {
      const x = numbers[i];
      if (!isInDomain(x)) {
        outside.add(block);
        written.fill(0, start, end);
        break;
      }
      written[i] = x === 0 && Object.is(x, -0) ? negativeZero : x;
    }
  }
  return written;
}

/** Decodes a device's numbers in place; blocks with numbers no longer finite are added to `outside`. */
export function fromDevice(numbers: Float32Array, outside: Set<number>): Float32Array {
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] === negativeZero) numbers[i] = -0;
    else if (Math.abs(numbers[i]) >= goneFrom) outside.add(Math.floor(i / blockLength));
  }
  return numbers;
}
