import { readFileSync } from "node:fs";
import type { MatrixPair } from "../../src/geometry/matrix.js";

/** A matrix of numbers in memory. */
export interface Held {
  readonly rows: number;
  readonly columns: number;
  readonly numbers: Float32Array;
}

export function pairOf(name: string, base: Held, tuned: Held): MatrixPair {
  const { rows, columns } = base;
  const part = ({ numbers }: Held, first: number, count: number) =>
    numbers.slice(first * columns, (first + count) * columns);
  return {
    name,
    rows,
    columns,
    read: async (first, count) => ({ base: part(base, first, count), tuned: part(tuned, first, count) }),
  };
}

const folder = new URL("../data/geometry/", import.meta.url);

/** The bf16 matrices of a file of test/data/geometry. */
export function matricesOf(file: string): Map<string, Held> {
  const bytes = readFileSync(new URL(`${file}.safetensors`, folder));
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...entries } = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength));
  return new Map(
    Object.entries<{ shape: [number, number]; data_offsets: [number, number] }>(entries).map(
      ([
        name,
        {
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const bits = new Uint32Array((end - begin) / 2);
        for (let i = 0; i < bits.length; i++)
          bits[i] = bytes.readUInt16LE(8 + headerLength + begin + 2 * i) << 16;
        return [name, { rows: shape[0], columns: shape[1], numbers: new Float32Array(bits.buffer) }];
      },
    ),
  );
}

export const expectedFigures: Readonly<Record<string, Readonly<Record<string, Record<string, number>>>>> =
  JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")).runs;

/** A small generator for planted matrices, apart from the one under test. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(next: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Rounded to bf16, nearest-even, by its bits. */
export function bf16(numbers: Float64Array): Float32Array {
  const out = Float32Array.from(numbers);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = ((bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000) >>> 0;
  }
  return out;
}
