import { tableBytes, tableParts, tableParts4 } from "../../../lens/difference/look-up.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { MemorySize } from "../assembler/module.js";
import { moduleBytes } from "../assembler/module.js";
import { vectorBytes } from "./layout.js";

const parameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** Writes a look-up; with `other`, writes a search for numbers that differ, which are recorded there. */
type Writer = (k: FunctionWriter, other?: V128) => void;

/**
 * A module with `bits8`, `bits4` and `bits4Short(codes, scales, runs, bytes, tables, into, left)`, as `lookUpCodes`.
 * `bits4Short` is for runs that end within a vector. With `Other` after the name and `perBlock` as the last parameter they are
 * `findOtherCodes`; with `OtherBlock` they take one block, and `left` becomes one word, above zero where it would be listed.
 */
export function lookupModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  const writers: Readonly<Record<string, Writer>> = {
    bits8: writeBits8,
    bits4: (k, other) => writeBits4(k, "v128", other),
    bits4Short: (k, other) => writeBits4(k, "v128_64", other),
  };
  return moduleBytes(
    memory,
    Object.entries(writers).flatMap(([name, write]) => {
      const ofBlock = `${name}OtherBlock`;
      const bits = write === writeBits8 ? 8 : 4;
      return [
        { name, parameters, write: (k: FunctionWriter) => write(k) },
        { name: ofBlock, parameters, write: (k: FunctionWriter) => writeOther(k, write) },
        {
          name: `${name}Other`,
          parameters: [...parameters, "i32"] as const,
          write: (k: FunctionWriter) => writeBlocks(k, ofBlock, 16 / bits),
        },
      ];
    }),
  );
}

/** Calls a function for each block, and lists the blocks for which it finds a difference. */
function writeBlocks(k: FunctionWriter, ofBlock: string, bytesPerByte: number): void {
  const { i32 } = k;
  const [codes, scales, runs, bytes, tables, numbers, list, perBlock] = [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
    k.parameter(n, "i32"),
  );
  const [first, block, next] = [k.variable("i32"), k.variable("i32"), k.variable("i32")];
  k.assign(next, i32.add(list, 4));
  k.if(runs, () =>
    k.repeat(() => {
      const left = i32.sub(runs, first);
      const count = i32.select(i32.lt_u(left, perBlock), left, perBlock);
      const begin = i32.mul(first, bytes);
      const ofNumbers = i32.add(numbers, i32.mul(begin, i32.constant(bytesPerByte)));
      k.call(ofBlock, i32.add(codes, begin), i32.add(scales, first), count, bytes, tables, ofNumbers, list);
      // The next block overwrites this unless this one is listed.
      k.store("i32", block, next);
      k.assign(next, i32.add(next, i32.shl(k.load("i32", list), 2)));
      k.assign(block, i32.add(block, 1));
      k.assign(first, i32.add(first, count));
      return i32.lt_u(first, runs);
    }),
  );
  k.store("i32", i32.sub(i32.shr_u(i32.sub(next, list), 2), 1), list);
}

/** Does `body` for each run, with the address of its table; `from` and `to` are where its codes and numbers are. */
function eachRun(
  k: FunctionWriter,
  bits: 4 | 8,
  body: (run: I32, table: I32, from: I32, to: I32, end: I32) => void,
): void {
  const { i32 } = k;
  const [codes, scales, runs, bytes, tables, into] = [0, 1, 2, 3, 4, 5].map((n) => k.parameter(n, "i32"));
  const [from, to] = [k.variable("i32"), k.variable("i32")];
  k.assign(from, codes);
  k.assign(to, into);
  k.loop(i32.constant(0), runs, 1, (run) => {
    const scale = k.load("i32_8u", i32.add(scales, run));
    const table = i32.add(tables, i32.shl(scale, Math.log2(tableBytes[bits])));
    const end = i32.add(from, bytes);
    body(run, table, from, to, end);
    k.assign(from, end);
  });
}

/** Writes the search for runs with different numbers, by the writer of their look-up. */
function writeOther(k: FunctionWriter, write: Writer): void {
  const other = k.variable("v128");
  write(k, other);
  k.store("i32", k.v128.any_true(other), k.parameter(6, "i32"));
}

/** Vectors of numbers are stored, or what they differ by from those in memory is added to `other`. */
function put(k: FunctionWriter, vectors: readonly V128[], to: I32, other?: V128): void {
  const { or, xor } = k.v128;
  if (other === undefined) {
    for (const [i, vector] of vectors.entries()) k.store("v128", vector, to, vectorBytes * i);
    return;
  }
  const differ = vectors.map((vector, i) => xor(vector, k.load("v128", to, vectorBytes * i)));
  // One addition a time round: a chain of them is what the loop would wait for.
  k.assign(other, or(other, differ.reduce(or)));
}

function writeBits8(k: FunctionWriter, other?: V128): void {
  const { i32, v128, i8x16 } = k;
  const left = k.parameter(6, "i32");
  const next = k.variable("i32");
  k.assign(next, i32.add(left, 4));
  eachRun(k, 8, (run, table, from, to, end) => {
    const part = (name: keyof typeof tableParts) => k.load("v128", table, tableParts[name]);
    const [low, high, sign] = [part("low"), part("high"), part("sign")];
    const [lowSmall, highSmall, outside] = [part("lowSmall"), part("highSmall"), part("outside")];
    const found = k.variable("v128");
    k.assign(found, k.i32x4.constant(0));
    k.loop(from, end, vectorBytes, (at) => {
      const codes = k.load("v128", at);
      const lower = v128.and(codes, bytesOf(k, 15));
      const upper = upperHalves(k, codes);
      const magnitude = v128.and(codes, bytesOf(k, 127));
      // swizzle returns 0 for an index outside the vector.
      const small = (lowTable: V128) => i8x16.swizzle(lowTable, magnitude);
      const lows = v128.xor(i8x16.swizzle(low, lower), small(lowSmall));
      const highs = v128.xor(i8x16.swizzle(high, lower), small(highSmall));
      k.assign(found, v128.or(found, i8x16.add(magnitude, outside)));
      put(k, interleaved(k, lows, i8x16.add(highs, i8x16.swizzle(sign, upper))), to, other);
      k.assign(to, i32.add(to, 2 * vectorBytes));
    });
    if (other !== undefined) {
      k.assign(other, v128.or(other, v128.and(found, bytesOf(k, 128))));
      return;
    }
    // The next run overwrites this unless this one is listed: so `left` has room for one more.
    k.store("i32", run, next);
    k.assign(next, i32.add(next, i32.shl(i32.lt_u(i32.constant(0), i8x16.bitmask(found)), 2)));
  });
  if (other === undefined) k.store("i32", i32.sub(i32.shr_u(i32.sub(next, left), 2), 1), left);
}

function writeBits4(k: FunctionWriter, load: "v128" | "v128_64", other?: V128): void {
  const { i32, v128, i8x16 } = k;
  const bytes = load === "v128" ? vectorBytes : vectorBytes / 2;
  eachRun(k, 4, (_, table, from, to, end) => {
    const low = k.load("v128", table, tableParts4.low);
    const high = k.load("v128", table, tableParts4.high);
    if (other !== undefined) k.assign(other, v128.or(other, k.load("v128", table, tableParts4.notFinite)));
    k.loop(from, end, bytes, (at) => {
      const pairs = k.load(load, at);
      const codes = interleaved(k, v128.and(pairs, bytesOf(k, 15)), upperHalves(k, pairs));
      const vectors = codes
        .slice(0, bytes / 8)
        .flatMap((each) => interleaved(k, i8x16.swizzle(low, each), i8x16.swizzle(high, each)));
      put(k, vectors, to, other);
      k.assign(to, i32.add(to, 4 * bytes));
    });
  });
  if (other === undefined) k.store("i32", i32.constant(0), k.parameter(6, "i32"));
}

function bytesOf(k: FunctionWriter, byte: number): V128 {
  return k.i32x4.constant(byte * 0x01010101);
}

function upperHalves(k: FunctionWriter, codes: V128): V128 {
  return k.v128.and(k.i16x8.shr_u(codes, 4), bytesOf(k, 15));
}

/** The interleaved bytes of two vectors. */
function interleaved(k: FunctionWriter, a: V128, b: V128): V128[] {
  return [0, vectorBytes / 2].map((start) =>
    k.i8x16.shuffle(
      a,
      b,
      Array.from({ length: vectorBytes }, (_, i) => start + (i >> 1) + vectorBytes * (i & 1)),
    ),
  );
}
