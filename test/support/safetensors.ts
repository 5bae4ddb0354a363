import { readFileSync } from "node:fs";

/** The parts of a safetensors file that golden vectors use; independent of `src/source/`, which it checks. */
export interface GoldenFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  /** An F32 tensor. */
  float32(name: string): Float32Array;
  /** A BF16 tensor, as codes. */
  bfloat16(name: string): Uint16Array;
  /** An F16 tensor, as codes. */
  float16(name: string): Uint16Array;
  /** A U8 tensor. */
  bytes(name: string): Uint8Array;
  shape(name: string): readonly number[];
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a trusted file of test/data/golden, such as `round/round-bf16.safetensors`. */
export function readGolden(path: string): GoldenFile {
  const file = readFileSync(new URL(`../data/golden/${path}`, import.meta.url));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength));
  const { __metadata__: metadata = {}, ...entries } = header;

  /** Copies, because the data of a tensor need not be aligned. */
  function bytes(name: string, dtype: string): ArrayBuffer {
    const entry: Entry | undefined = entries[name];
    if (entry?.dtype !== dtype)
      throw new Error(`${path}: expected ${name} as ${dtype}, found ${entry?.dtype}`);
    const [begin, end] = entry.data_offsets;
    const data = new ArrayBuffer(end - begin);
    new Uint8Array(data).set(file.subarray(8 + headerLength + begin, 8 + headerLength + end));
    return data;
  }

  return {
    metadata,
    names: Object.keys(entries),
    float32: (name) => new Float32Array(bytes(name, "F32")),
    bfloat16: (name) => new Uint16Array(bytes(name, "BF16")),
    float16: (name) => new Uint16Array(bytes(name, "F16")),
    bytes: (name) => new Uint8Array(bytes(name, "U8")),
    shape: (name) => entries[name].shape,
  };
}
