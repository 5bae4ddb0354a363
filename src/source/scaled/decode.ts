import { format } from "../../format/registry.js";
import { decodeInto, tableOf } from "../safetensors/decode.js";
import { dtypes } from "../safetensors/dtype.js";
import { eachRun, type ReadScales, type ScaledCodes, type Scales } from "./scaled-codes.js";

/** Returns a canonical NaN: the sign of 0 x Inf and of NaN x NaN depends on processor and compiler. */
export function product(element: number, scale: number): number {
  const number = element * scale;
  return Number.isNaN(number) ? NaN : number;
}

/**
 * Decodes elements from `start` on: each is code x scale, rounded once to fp32.
 *
 * @param codes the bytes, starting with that of the first element.
 * @param scales at least the scales of these elements.
 */
export function decodeScaled(
  layout: ScaledCodes,
  start: number,
  codes: Uint8Array,
  scales: readonly ReadScales[],
  into: Float32Array,
): void {
  const numbers = tableOf(format(layout.element));
  if (layout.bits === 8) {
    eachRun(layout, start, into.length, scales, (from, count, scale) => {
      for (let i = from; i < from + count; i++) into[i] = product(numbers[codes[i]], scale);
    });
    return;
  }
  // Decode both codes of a byte at once if both are requested.
  const odd = start % 2;
  eachRun(layout, start, into.length, scales, (from, count, scale) => {
    let i = from;
    const end = from + count;
    if ((i + odd) % 2 === 1) {
      into[i] = product(numbers[codes[(i + odd) >> 1] >> 4], scale);
      i += 1;
    }
    for (; i + 1 < end; i += 2) {
      const byte = codes[(i + odd) >> 1];
      into[i] = product(numbers[byte & 15], scale);
      into[i + 1] = product(numbers[byte >> 4], scale);
    }
    if (i < end) into[i] = product(numbers[codes[(i + odd) >> 1] & 15], scale);
  });
}

/** Decodes scales. Valid for bytes at an offset that is a multiple of the scale's width. */
export function decodeScales({ dtype, format: name }: Scales, bytes: Uint8Array): Float32Array {
  const { bits } = dtypes.get(dtype)!;
  const numbers = new Float32Array((8 * bytes.length) / bits);
  const ofFormat = format(name);
  if (bits === 8) {
    const table = tableOf(ofFormat);
    for (let i = 0; i < bytes.length; i++) numbers[i] = table[bytes[i]];
  } else decodeInto(bytes, dtypes.get(dtype)!, numbers);
  return numbers;
}

/** The size of a scale in bytes. */
export function scaleBytes({ dtype }: Scales): number {
  return dtypes.get(dtype)!.bits / 8;
}
