import type { Values } from "../../lens/input.js";
import { type Batch, firstElement, type Piece } from "./batch.js";
import type { GpuBuffer } from "./dawn.js";
import type { Device } from "./device.js";
import { onlyFloat64Bits } from "./kernels/shared.js";

/** The number of values that are read and uploaded at once. */
export const uploadLength = 2 ** 20;

/** Reads the numbers of all pieces of a batch and uploads them. The last group of eight of a piece is padded with zeros. */
export type Upload = <T extends Float32Array | Float64Array>(
  values: (piece: Piece) => Values,
  array: (length: number) => T,
  rounded: (numbers: T, piece: number) => Float32Array,
) => Promise<void>;

export function uploadTo(device: Device, { pieces }: Batch, to: GpuBuffer): Upload {
  return async (values, array, rounded) => {
    for (const [p, piece] of pieces.entries()) {
      for (let offset = 0; offset < piece.length; offset += uploadLength) {
        const length = Math.min(uploadLength, piece.length - offset);
        const numbers = array(length);
        await values(piece).read(piece.start + offset, numbers);
        const filled = new Float32Array(Math.ceil(length / 8) * 8);
        filled.set(rounded(numbers, p));
        device.write(to, filled, firstElement(piece) + offset);
      }
    }
  };
}

/** Weights as fp32 words, with which kernels/shared.ts compares the stored ones. Numbers that fp32 does not hold become a marker. */
export function comparedWith(numbers: Float64Array): Float32Array {
  const words = new Float32Array(numbers.length);
  const bits = new Uint32Array(words.buffer);
  for (const [i, x] of numbers.entries()) {
    words[i] = x;
    if (words[i] !== x && !Number.isNaN(x)) bits[i] = onlyFloat64Bits;
  }
  return words;
}
