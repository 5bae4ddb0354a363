import { decodeTable } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import type { Dtype } from "./dtype.js";

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new Error("safetensors data is little-endian and read in place: this machine is big-endian");
}

/**
 * Writes the numbers of a readable dtype, stored little-endian in `bytes`, into `into`. Exact, unless a F64
 * meets a Float32Array. Valid for as many bytes as `into` needs, at an offset that their width divides.
 */
export function decodeInto(bytes: Uint8Array, dtype: Dtype, into: Float32Array | Float64Array): void {
  const { format } = dtype;
  if (format === null) throw new Error(`${dtype.name} is not a dtype that is read`);
  if (format === "fp64") into.set(new Float64Array(bytes.buffer, bytes.byteOffset, into.length));
  else if (format.bits === 32) into.set(new Float32Array(bytes.buffer, bytes.byteOffset, into.length));
  else lookUp(bytes, format, into);
}

function lookUp(bytes: Uint8Array, format: Format, into: Float32Array | Float64Array): void {
  const { buffer, byteOffset } = bytes;
  const codes =
    format.bits === 16
      ? new Uint16Array(buffer, byteOffset, into.length)
      : new Uint8Array(buffer, byteOffset, into.length);
  const table = tableOf(format);
  // As quick as shifting bf16 codes into place (measured, 1.7 GB/s with the reading), and the same for all.
  for (let i = 0; i < codes.length; i++) into[i] = table[codes[i]];
}

const tables = new Map<Format, Float32Array>();

function tableOf(format: Format): Float32Array {
  let table = tables.get(format);
  if (table === undefined) {
    table = decodeTable(format);
    tables.set(format, table);
  }
  return table;
}
