import { tableBytes, tableParts, tableParts4 } from "../../../lens/difference/look-up.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { MemorySize } from "../assembler/module.js";
import { moduleBytes } from "../assembler/module.js";
import { vectorBytes } from "./layout.js";

const parameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;

/** Writes a look-up; with `other`, writes a search for numbers that differ, which are recorded there. */
type Writer = (k: FunctionWriter, other?: V128) => void;

const writers = {
  bits8: writeBits8,
  bits4: (k: FunctionWriter, other?: V128) => writeBits4(k, "v128", other),
  bits4Short: (k: FunctionWriter, other?: V128) => writeBits4(k, "v128_64", other),
} satisfies Readonly<Record<string, Writer>>;

/** Runs of 8-bit codes; of 4-bit codes in whole vectors, and ending within one. */
export type LookupName = keyof typeof writers;

/**
 * A module with `bits8`, `bits4` or `bits4Short(codes, scales, runs, bytes, tables, into, left)`, as
 * `lookUpCodes`. `bits4Short` is for runs that end within a vector. With `Other` after the name and `perBlock` as
 * the last parameter: `findOtherCodes`. With `OtherBlock`: for one block, where `left` is one word, nonzero if the
 * block is to be listed.
 */
export function lookupModule(memory: MemorySize, name: LookupName): Uint8Array<ArrayBuffer> {
  const write: Writer = writers[name];
  const ofBlock = `${name}OtherBlock`;
  return moduleBytes(memory, [
    { name, parameters, write: (k) => write(k) },
    { name: ofBlock, parameters, write: (k) => writeOther(k, write) },
    {
      name: `${name}Other`,
      parameters: [...parameters, "i32"],
      write: (k) => writeBlocks(k, ofBlock, name === "bits8" ? 2 : 4),
    },
  ]);
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

/**
 * Runs `body` for each run from `first` on, with the address of its table; `from` and `to` are the addresses of
 * its codes and numbers.
 */
function eachRun(
  k: FunctionWriter,
  bits: 4 | 8,
  first: I32,
  body: (run: I32, table: I32, from: I32, to: I32, end: I32) => void,
): void {
  const { i32 } = k;
  const [codes, scales, runs, bytes, tables, into] = [0, 1, 2, 3, 4, 5].map((n) => k.parameter(n, "i32"));
  const [from, to] = [k.variable("i32"), k.variable("i32")];
  const before = i32.mul(first, bytes);
  k.assign(from, i32.add(codes, before));
  k.assign(to, i32.add(into, i32.shl(before, bits === 8 ? 1 : 2)));
  k.loop(first, runs, 1, (run) => {
    const table = i32.add(
      tables,
      i32.shl(k.load("i32_8u", i32.add(scales, run)), Math.log2(tableBytes[bits])),
    );
    const end = i32.add(from, bytes);
    body(run, table, from, to, end);
    k.assign(from, end);
  });
}

/** Writes a search for runs with different numbers, by the writer of their look-up. */
function writeOther(k: FunctionWriter, write: Writer): void {
  const other = k.variable("v128");
  write(k, other);
  k.store("i32", k.v128.any_true(other), k.parameter(6, "i32"));
}

/** Stores vectors of numbers; with `other`, adds their differences from those in memory to it instead. */
function put(k: FunctionWriter, vectors: readonly V128[], to: I32, other?: V128, offset = 0): void {
  const { or, xor } = k.v128;
  if (other === undefined) {
    for (const [i, vector] of vectors.entries()) k.store("v128", vector, to, offset + vectorBytes * i);
    return;
  }
  const differ = vectors.map((vector, i) => xor(vector, k.load("v128", to, offset + vectorBytes * i)));
  // One operation on `other` per iteration: a chain of them would limit the loop.
  k.assign(other, or(other, differ.reduce(or)));
}

function writeBits8(k: FunctionWriter, other?: V128): void {
  const { i32, v128, i8x16 } = k;
  const left = k.parameter(6, "i32");
  const next = k.variable("i32");
  k.assign(next, i32.add(left, 4));
  eachRun(k, 8, i32.constant(0), (run, table, from, to, end) => {
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
    // The next run overwrites this entry unless this run is listed: `left` has room for one more.
    k.store("i32", run, next);
    k.assign(next, i32.add(next, i32.shl(i32.lt_u(i32.constant(0), i8x16.bitmask(found)), 2)));
  });
  if (other === undefined) k.store("i32", i32.sub(i32.shr_u(i32.sub(next, left), 2), 1), left);
}

function writeBits4(k: FunctionWriter, load: "v128" | "v128_64", other?: V128): void {
  const { i32, v128 } = k;
  const bytes = load === "v128" ? vectorBytes : vectorBytes / 2;
  const first = k.variable("i32");
  k.if(i32.eq(k.parameter(3, "i32"), i32.constant(bytes)), () =>
    k.assign(first, writeFourRuns(k, bytes, other)),
  );
  eachRun(k, 4, first, (_, table, from, to, end) => {
    const tables = [tablesAt(k, table)];
    if (other !== undefined) k.assign(other, v128.or(other, notFinite(k, table)));
    k.loop(from, end, bytes, (at) => {
      put(k, numbersOf(k, k.load(load, at), tables).slice(0, bytes / 4), to, other);
      k.assign(to, i32.add(to, 4 * bytes));
    });
  });
  if (other === undefined) k.store("i32", i32.constant(0), k.parameter(6, "i32"));
}

/**
 * Processes runs of one vector or half of one, as in the usual block formats, four at a time; returns their
 * number. Takes a fifth less time than {@link eachRun}, whose loop has one iteration there (.18 instead of .23 ns
 * per number in runs of 16 bytes).
 */
function writeFourRuns(k: FunctionWriter, bytes: number, other?: V128): I32 {
  const { i32, v128 } = k;
  const [codes, scales, runs, , tables, into] = [0, 1, 2, 3, 4, 5].map((n) => k.parameter(n, "i32"));
  const [from, to] = [k.variable("i32"), k.variable("i32")];
  k.assign(from, codes);
  k.assign(to, into);
  const done = i32.and(runs, -4);
  const perVector = vectorBytes / bytes;
  k.loop(i32.constant(0), done, 4, (run) => {
    const scale = i32.add(scales, run);
    for (let n = 0; n < 4; n += perVector) {
      const ofRuns = Array.from({ length: perVector }, (_, i) =>
        i32.add(tables, i32.shl(k.load("i32_8u", scale, n + i), Math.log2(tableBytes[4]))),
      );
      if (other !== undefined) {
        k.assign(other, v128.or(other, ofRuns.map((table) => notFinite(k, table)).reduce(v128.or)));
      }
      const vectors = numbersOf(
        k,
        k.load("v128", from, n * bytes),
        ofRuns.map((table) => tablesAt(k, table)),
      );
      put(k, vectors, to, other, 4 * n * bytes);
    }
    k.assign(from, i32.add(from, 4 * bytes));
    k.assign(to, i32.add(to, 16 * bytes));
  });
  return done;
}

/** The lower and upper bytes of numbers, indexed by code. */
interface Tables {
  readonly low: V128;
  readonly high: V128;
}

function tablesAt(k: FunctionWriter, table: I32): Tables {
  return {
    low: k.load("v128", table, tableParts4.low),
    high: k.load("v128", table, tableParts4.high),
  };
}

function notFinite(k: FunctionWriter, table: I32): V128 {
  return k.load("v128", table, tableParts4.notFinite);
}

/** The numbers of a vector of pairs of codes, from one table, or from one for each half. */
function numbersOf(k: FunctionWriter, pairs: V128, tables: readonly Tables[]): V128[] {
  const codes = interleaved(k, k.v128.and(pairs, bytesOf(k, 15)), upperHalves(k, pairs));
  return codes.flatMap((each, half) => {
    const { low, high } = tables[half] ?? tables[0];
    return interleaved(k, k.i8x16.swizzle(low, each), k.i8x16.swizzle(high, each));
  });
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
