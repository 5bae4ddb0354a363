import { tableBytes, tableParts } from "../../../lens/difference/look-up.js";
import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { MemorySize } from "../assembler/module.js";
import { moduleBytes } from "../assembler/module.js";
import { vectorBytes } from "./layout.js";

/**
 * A module with `bits8`, `bits4` and `bits4Short(codes, scales, runs, bytes, tables, into, left)`, as `lookUpCodes`.
 * `bits4Short` is for runs that end within a vector.
 */
export function lookupModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  const parameters = ["i32", "i32", "i32", "i32", "i32", "i32", "i32"] as const;
  return moduleBytes(memory, [
    { name: "bits8", parameters, write: writeBits8 },
    { name: "bits4", parameters, write: (k) => writeBits4(k, "v128") },
    { name: "bits4Short", parameters, write: (k) => writeBits4(k, "v128_64") },
  ]);
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

function writeBits8(k: FunctionWriter): void {
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
      // Of an index beyond the vector swizzle gives 0.
      const small = (lowTable: V128) => i8x16.swizzle(lowTable, magnitude);
      const lows = v128.xor(i8x16.swizzle(low, lower), small(lowSmall));
      const highs = v128.xor(i8x16.swizzle(high, lower), small(highSmall));
      k.assign(found, v128.or(found, i8x16.add(magnitude, outside)));
      const [first, second] = interleaved(k, lows, i8x16.add(highs, i8x16.swizzle(sign, upper)), 1);
      k.store("v128", first, to);
      k.store("v128", second, to, vectorBytes);
      k.assign(to, i32.add(to, 2 * vectorBytes));
    });
    // Written over by the next run unless this one is left: so `left` has room for one more.
    k.store("i32", run, next);
    k.assign(next, i32.add(next, i32.shl(i32.lt_u(i32.constant(0), i8x16.bitmask(found)), 2)));
  });
  k.store("i32", i32.sub(i32.shr_u(i32.sub(next, left), 2), 1), left);
}

function writeBits4(k: FunctionWriter, load: "v128" | "v128_64"): void {
  const { i32, v128, i8x16 } = k;
  const bytes = load === "v128" ? vectorBytes : vectorBytes / 2;
  eachRun(k, 4, (_, table, from, to, end) => {
    const low = k.load("v128", table, tableParts.low);
    const high = k.load("v128", table, tableParts.high);
    k.loop(from, end, bytes, (at) => {
      const codes = k.load(load, at);
      const [even, odd] = [v128.and(codes, bytesOf(k, 15)), upperHalves(k, codes)].map((halves) =>
        interleaved(k, i8x16.swizzle(low, halves), i8x16.swizzle(high, halves), 1),
      );
      const numbers = interleaved(k, even[0], odd[0], 2);
      if (load === "v128") numbers.push(...interleaved(k, even[1], odd[1], 2));
      for (const [i, vector] of numbers.entries()) k.store("v128", vector, to, vectorBytes * i);
      k.assign(to, i32.add(to, 4 * bytes));
    });
  });
  k.store("i32", i32.constant(0), k.parameter(6, "i32"));
}

function bytesOf(k: FunctionWriter, byte: number): V128 {
  return k.i32x4.constant(byte * 0x01010101);
}

function upperHalves(k: FunctionWriter, codes: V128): V128 {
  return k.v128.and(k.i16x8.shr_u(codes, 4), bytesOf(k, 15));
}

/** The units of two vectors in turns, of so many bytes. */
function interleaved(k: FunctionWriter, a: V128, b: V128, unit: 1 | 2): V128[] {
  return [0, vectorBytes / 2].map((start) =>
    k.i8x16.shuffle(
      a,
      b,
      Array.from({ length: vectorBytes }, (_, i) => {
        const index = Math.floor(i / unit);
        return start + unit * (index >> 1) + (i % unit) + vectorBytes * (index & 1);
      }),
    ),
  );
}
