import { decodeTable } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import type { Dtype } from "./dtype.js";

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new Error("safetensors data is little-endian and read in place: this machine is big-endian");
}

/**
 * Decodes numbers of a readable dtype, stored little-endian in `bytes`, into `into`. Exact, except for F64 into a
 * Float32Array. Valid for as many bytes as `into` needs, at a byte offset that is a multiple of the element width; if
 * elements share bytes, the first one must start a byte.
 */
export function decodeInto(bytes: Uint8Array, dtype: Dtype, into: Float32Array | Float64Array): void {
  const { format } = dtype;
  if (format === null) throw new Error(`${dtype.name} is not a dtype that is read`);
  if (format === "fp64") into.set(new Float64Array(bytes.buffer, bytes.byteOffset, into.length));
  else if (format.bits === 32) into.set(new Float32Array(bytes.buffer, bytes.byteOffset, into.length));
  else lookUp(bytes, format, into);
}

function lookUp(bytes: Uint8Array, format: Format, into: Float32Array | Float64Array): void {
  const codes = codesOf(bytes, format.bits, into.length);
  const table = tableOf(format);
  // For bf16 as fast as shifting codes (measured, 1.7 GB/s including reading), and the same code for all formats.
  for (let i = 0; i < codes.length; i++) into[i] = table[codes[i]];
}

/** Unpacks codes that may share bytes, the first one in the lowest bits, as torch packs 4-bit codes. */
export function codesOf(bytes: Uint8Array, bits: number, count: number): Uint8Array | Uint16Array {
  const { buffer, byteOffset } = bytes;
  if (bits === 16) return new Uint16Array(buffer, byteOffset, count);
  if (bits === 8) return new Uint8Array(buffer, byteOffset, count);
  const codes = new Uint8Array(count);
  const mask = 2 ** bits - 1;
  for (let i = 0; i < count; i++) {
    const bit = (i % 8) * bits;
    const byte = Math.floor(i / 8) * bits + (bit >> 3);
    const pair = bytes[byte] | (bytes[byte + 1] << 8);
    codes[i] = (pair >>> (bit & 7)) & mask;
  }
  return codes;
}

const tables = new Map<Format, Float32Array>();

/** The numbers of all codes. */
export function tableOf(format: Format): Float32Array {
  let table = tables.get(format);
  if (table === undefined) {
    table = decodeTable(format);
    tables.set(format, table);
  }
  return table;
}
