/** Wrong arithmetic as others have published it, each to be found and named. Sources: docs/testing.md. */

import { checkEncoding, checkOperation, checkQuantizer, checkRounding } from "../../src/testing/index.js";
import { float32Bits } from "../support/bits.js";

/** A mistake in somebody's arithmetic: the check that has to find it, and the name that it has to be given. */
export interface Piece {
  readonly of: string;
  readonly name: string;
  readonly check: () => unknown;
}

/** The gap of a format of p significand bits at x. Valid for finite x but 0. */
function gapAt(x: number, p: number, least: number): number {
  return 2 ** Math.max(Math.floor(Math.log2(Math.abs(x))) + 1 - p, least);
}

/** Rounds by a function on numbers of gaps, without limits above: how most emulators in Python begin. */
function emulated(x: number, p: number, least: number, toWhole: (x: number) => number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const gap = gapAt(x, p, least);
  const whole = toWhole(x / gap) * gap;
  return whole === 0 ? (x < 0 ? -0 : 0) : whole;
}

const largestBf16 = (2 - 2 ** -7) * 2 ** 127;

const halfEven = (x: number) => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
};
const halfAway = (x: number) => Math.trunc(x) + (Math.abs(x % 1) >= 0.5 ? Math.sign(x) : 0);
const clip = (x: number, most: number) => Math.max(-most, Math.min(most, x));
const beyond = (x: number, most: number, what: number) => (Math.abs(x) > most ? Math.sign(x) * what : x);

const bf16 = (x: number, toWhole = halfEven) => beyond(emulated(x, 8, -133, toWhole), largestBf16, Infinity);
const fp16 = (x: number, toWhole = halfEven) => beyond(emulated(x, 11, -24, toWhole), 65504, Infinity);
const e4m3 = (x: number, toWhole = halfEven) =>
  Number.isFinite(x) ? beyond(emulated(x, 4, -9, toWhole), 448, NaN) : NaN;

const level = { level: 1 } as const;
const toInt = (x: number) => float32Bits(Math.fround(x));
/** The bits of an fp32 number to those of bf16, as a dozen of libraries do it in one line. */
const carried = (bits: number) =>
  (Math.floor((bits + 0x7fff + ((bits >>> 16) & 1)) / 2 ** 16) & 0xffff) >>> 0;

/** What `bits >> 16` leaves of an fp32 number. */
const upperHalf = (x: number) => (Number.isNaN(x) ? x : fromBfloat16(toInt(x) >>> 16));

const inFp64 = {
  add: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

export const gallery: readonly Piece[] = [
  {
    of: "QPyTorch, microxcaling: nearest",
    name: "half away",
    check: () => checkRounding((x) => e4m3(x, halfAway), "e4m3fn", level),
  },
  {
    of: "TransformerEngine's remainder master: the upper half of an fp32 number and its carry",
    name: "half away",
    check: () =>
      checkEncoding(
        (bits) => ((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : ((bits + 0x8000) / 2 ** 16) & 0xffff),
        "bf16",
        level,
      ),
  },
  {
    of: "the same as its kernel splits it, NaN too: 0x7fffffff becomes -0",
    name: "half away",
    check: () => checkEncoding((bits) => Math.floor((bits + 0x8000) / 2 ** 16) & 0xffff, "bf16", level),
  },
  {
    of: "JavaScript's Math.round on gaps",
    name: "half up",
    check: () => checkRounding((x) => fp16(x, Math.round), "fp16", level),
  },
  {
    of: "ml_dtypes, torch: fp64 to bf16",
    name: "through fp32",
    check: () => checkRounding((x) => bf16(Math.fround(x)), "bf16", level),
  },
  {
    of: "casts of fp64 to fp8 through fp16",
    name: "through fp16",
    check: () => checkRounding((x) => e4m3(fp16(x)), "e4m3fn", level),
  },
  {
    of: "the first bf16 casts of TensorFlow",
    name: "truncated",
    check: () =>
      checkEncoding((bits) => ((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : bits >>> 16), "bf16", level),
  },
  ...(["exact", "fp32"] as const).flatMap((opmath) =>
    (["add", "mul", "div"] as const).map((operation) => ({
      of: `${operation} in fp32, of which the upper 16 bits are kept, for opmath ${opmath}`,
      name: "truncated",
      check: () =>
        checkOperation((a, b) => upperHalf(inFp64[operation](a, b)), operation, "bf16", { ...level, opmath }),
    })),
  ),
  {
    of: "the upper 16 bits of an fp64 number in fp32",
    name: "truncated",
    check: () => checkRounding(upperHalf, "bf16", level),
  },
  {
    of: "fp16 that drops bits, with Inf beyond 65504",
    name: "truncated",
    check: () => checkRounding((x) => fp16(x, Math.trunc), "fp16", { ...level, from: "fp32" }),
  },
  {
    of: "e4m3fn that drops bits, with NaN beyond 448",
    name: "truncated",
    check: () => checkRounding((x) => e4m3(x, Math.trunc), "e4m3fn", { ...level, from: "fp32" }),
  },
  {
    of: "e4m3fn that drops bits, with 448 beyond 448 and for Inf",
    name: "truncated",
    check: () =>
      checkRounding((x) => clip(emulated(x, 4, -9, Math.trunc), 448), "e4m3fn", { ...level, from: "fp32" }),
  },
  {
    of: "e5m2 as the upper byte of fp16",
    name: "truncated",
    check: () =>
      checkRounding((x) => beyond(emulated(fp16(x), 3, -16, Math.trunc), 57344, Infinity), "e5m2", level),
  },
  {
    of: "stochastic rounding of fp32 that ignores the random bits",
    name: "nearest-even",
    check: () => checkRounding((x) => bf16(x), "bf16", { ...level, rounding: "stochastic", from: "fp32" }),
  },
  {
    of: "stochastic rounding of fp32 that ignores the random bits, ties away",
    name: "nearest-away",
    check: () =>
      checkRounding((x) => bf16(x, halfAway), "bf16", { ...level, rounding: "stochastic", from: "fp32" }),
  },
  {
    of: "CPFloat: bf16 without subnormals by default",
    name: "flushed subnormals",
    check: () =>
      checkRounding(
        (x) => {
          const magnitude = Math.abs(x);
          if (magnitude < 2 ** -126)
            return (x < 0 || Object.is(x, -0) ? -1 : 1) * (magnitude > 2 ** -127 ? 2 ** -126 : 0);
          return bf16(x);
        },
        "bf16",
        level,
      ),
  },
  {
    of: "kernels compiled with flush to zero",
    name: "flushed subnormals",
    check: () =>
      checkRounding(
        (x) => {
          const rounded = fp16(x);
          return Math.abs(rounded) < 2 ** -14 ? rounded * 0 : rounded;
        },
        "fp16",
        level,
      ),
  },
  {
    of: "CPFloat: e4m3fn keeps 480",
    name: "wrong overflow",
    check: () => checkRounding((x) => beyond(emulated(x, 4, -9, halfEven), 480, Infinity), "e4m3fn", level),
  },
  {
    of: "pychop: 65520 becomes 65536 in fp16",
    name: "wrong overflow",
    check: () => checkRounding((x) => emulated(x, 11, -24, halfEven), "fp16", level),
  },
  {
    of: "pychop: 448 becomes 0 in e4m3fn",
    name: "wrong overflow",
    check: () =>
      checkRounding(
        (x) =>
          Number.isNaN(x) || Math.abs(emulated(x, 4, -9, halfEven)) < 448 ? emulated(x, 4, -9, halfEven) : 0,
        "e4m3fn",
        level,
      ),
  },
  {
    of: "torch on a CPU: e4m3fn overflows to 448, where NaN is asked for",
    name: "wrong overflow",
    check: () => checkRounding((x) => clip(emulated(x, 4, -9, halfEven), 448), "e4m3fn", level),
  },
  {
    of: "ml_dtypes: e4m3fn overflows to NaN, where saturation is asked for",
    name: "wrong overflow",
    check: () => checkRounding((x) => e4m3(x), "e4m3fn", { ...level, overflow: "saturate" }),
  },
  {
    of: "e4m3fn taken for the IEEE-like e4m3, with 240 the largest number",
    name: "wrong overflow",
    check: () =>
      checkRounding((x) => clip(emulated(x, 4, -9, halfEven), 240), "e4m3fn", {
        ...level,
        overflow: "saturate",
      }),
  },
  {
    of: "CPFloat: a NaN with its payload in the lower 16 bits becomes Inf or -0",
    name: "NaN payload",
    check: () => checkEncoding(carried, "bf16", level),
  },
  {
    of: "a NaN whose bits are cut off",
    name: "NaN payload",
    check: () =>
      checkEncoding(
        (bits) => ((bits & 0x7fffffff) > 0x7f800000 ? bits >>> 16 : carried(bits)),
        "bf16",
        level,
      ),
  },
  {
    of: "CPFloat: operations under directed rounding are rounded twice",
    name: "through fp32",
    check: () =>
      checkOperation((a, b) => bf16(Math.fround(a + b), Math.trunc), "add", "bf16", {
        ...level,
        rounding: "toward-zero",
      }),
  },
  {
    of: "fma of bf16 by an fp32 fma",
    name: "through fp32",
    check: () => checkOperation((a, b, c) => bf16(Math.fround(a * b + c)), "fma", "bf16", level),
  },
  {
    of: "fma of fp32 by fp64",
    name: "through fp64",
    check: () => checkOperation((a, b, c) => Math.fround(a * b + c), "fma", "fp32", level),
  },
  {
    of: "fma as a product and a sum",
    name: "two roundings",
    check: () => checkOperation((a, b, c) => fp16(fp16(a * b) + c), "fma", "fp16", level),
  },
  {
    of: "division by a reciprocal",
    name: "reciprocal",
    check: () => checkOperation((a, b) => Math.fround(a * Math.fround(1 / b)), "div", "fp32", level),
  },
  {
    of: "products of subnormal operands flushed to zero",
    name: "flushed subnormals",
    check: () => {
      const flush = (x: number) => (Math.abs(x) < 2 ** -14 ? x * 0 : x);
      return checkOperation((a, b) => fp16(flush(a) * flush(b)), "mul", "fp16", level);
    },
  },
  {
    of: "the sign of zero lost",
    name: "sign of zero",
    check: () => checkRounding((x) => fp16(x) + 0, "fp16", level),
  },
  {
    of: "stochastic rounding that compares where it should carry",
    name: "compares the random bits",
    check: () =>
      checkRounding(
        (x, random) =>
          fp16(x, (scaled) => {
            const magnitude = Math.abs(scaled);
            const fraction = Math.floor((magnitude - Math.floor(magnitude)) * 2 ** 32);
            return Math.sign(scaled) * (Math.floor(magnitude) + (random < fraction ? 1 : 0));
          }),
        "fp16",
        { ...level, rounding: "stochastic" },
      ),
  },
  {
    of: "microxcaling: MXFP4 with ties away",
    name: "half away",
    check: () => checkQuantizer((data) => mxfp4(data, 0, halfAway), "mxfp4", level),
  },
  {
    of: "a quantizer of another scale rule",
    name: "scale rule",
    check: () => checkQuantizer((data) => mxfp4(data, 1, halfEven), "mxfp4", level),
  },
  {
    of: "a quantizer of another scale rule that also rounds ties away",
    name: "scale rule, half away",
    check: () => checkQuantizer((data) => mxfp4(data, 1, halfAway), "mxfp4", level),
  },
];

/** Two mistakes in one. */
export const withTwoMistakes = () => checkRounding((x) => emulated(x, 11, -24, halfAway), "fp16", level);

/** Wrong for negative numbers only, which no known mistake is: one that explains some contradicts right results. */
export const negativeTruncated = () =>
  checkRounding((x) => bf16(x, x < 0 ? Math.trunc : halfEven), "bf16", { ...level, from: "fp32" });

/** One block of MXFP4 with the exponent of its scale by floor, or by rceil for 1. */
function mxfp4(data: Float32Array, rceil: 0 | 1, toWhole: (x: number) => number) {
  const amax = data.reduce((most, x) => (Number.isNaN(x) || Math.abs(x) > most ? Math.abs(x) : most), 0);
  if (!Number.isFinite(amax)) return { codes: new Uint8Array(32), scales: [255] };
  if (amax === 0) return { codes: data.map((x) => (Object.is(x, -0) ? 8 : 0)), scales: [0] };
  let exponent = -150;
  while (exponent < 127 && 2 ** (exponent + 1) <= amax) exponent += 1;
  const doubles = rceil === 1 && amax / 2 ** exponent > 1.5 ? 1 : 0;
  const scale = Math.max(-127, Math.min(127, exponent - 2 + doubles));
  const codes = Uint8Array.from(data, (x) => {
    const scaled = Math.abs(clip(emulated(Math.fround(x / 2 ** scale), 2, -1, toWhole), 6));
    const code = [0, 0.5, 1, 1.5, 2, 3, 4, 6].indexOf(scaled);
    return x < 0 || Object.is(x, -0) ? code + 8 : code;
  });
  return { codes, scales: [scale + 127] };
}

/** What is right: nothing may be said against it. */
export const masters: readonly Omit<Piece, "name">[] = [
  {
    of: "bf16 from the bits of fp32, NaN apart",
    check: () => checkEncoding((bits) => ((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : carried(bits)), "bf16"),
  },
  {
    of: "bf16 by Math.fround, from fp32",
    check: () =>
      checkRounding((x) => (Number.isNaN(x) ? x : fromBfloat16(carried(toInt(x)))), "bf16", { from: "fp32" }),
  },
  { of: "an emulated fp16, from fp64", check: () => checkRounding((x) => fp16(x), "fp16") },
  { of: "an emulated e4m3fn, from fp64", check: () => checkRounding((x) => e4m3(x), "e4m3fn") },
  { of: "Math.fround, from fp64", check: () => checkRounding(Math.fround, "fp32") },
  { of: "fp32 sums by fp64", check: () => checkOperation((a, b) => Math.fround(a + b), "add", "fp32") },
  { of: "fp32 roots by fp64", check: () => checkOperation((a) => Math.fround(Math.sqrt(a)), "sqrt", "fp32") },
  { of: "fp32 quotients by fp64", check: () => checkOperation((a, b) => Math.fround(a / b), "div", "fp32") },
  { of: "MXFP4 by hand", check: () => checkQuantizer((data) => mxfp4(data, 0, halfEven), "mxfp4") },
];

function fromBfloat16(code: number): number {
  return new Float32Array(Uint32Array.of(code * 2 ** 16).buffer)[0];
}
