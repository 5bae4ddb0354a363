import type { Arithmetic } from "./arithmetic.js";
import { Decoder, type DecoderSize } from "./decoder.js";
import { geluFp32 } from "./elementary.js";
import { plainFp32 } from "./plain.js";
import { Prefixes } from "./prefixes.js";
import { allocatedBytes, hasSimd, simdFp32 } from "./simd.js";

/** A decoder in fp32 over a tree of prefixes, by SIMD where there is SIMD: the bits are the same. */
export async function openDecoder(prefixes: Prefixes, size: DecoderSize): Promise<Decoder> {
  const arithmetic = hasSimd() ? await simdFp32(bytesOf(size)) : plainFp32;
  return new Decoder(arithmetic, prefixes, size);
}

/** What a decoder allocates. */
export function bytesOf(size: DecoderSize): number {
  let bytes = 0;
  const counting: Arithmetic = {
    name: "counting",
    allocate(length) {
      bytes += allocatedBytes(length);
      return new Float32Array(0);
    },
    gelu: geluFp32,
    product: () => {},
  };
  new Decoder(counting, new Prefixes(0), size);
  return bytes;
}
