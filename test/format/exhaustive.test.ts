import { f16round, getFloat16, setFloat16 } from "@petamoriken/float16";
import { describe, expect, it } from "vitest";
import { decode, decodeTable, encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import { float32Bits, float32FromBits, random32, stepFloat64 } from "../support/bits.js";
import { Mismatches } from "../support/mismatches.js";
import {
  deterministicRoundings,
  expectedRound,
  expectedRounds,
  overflowModes,
  placeIn,
} from "../support/oracle.js";
import { fp16, fp32, type OracleFormat, valueTable } from "../support/oracle-formats.js";
import { criticalPoints } from "../support/points.js";
import { subjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const settings = deterministicRoundings.flatMap((rounding) =>
  overflowModes.map((overflow) => ({ rounding, overflow })),
);
const settingsBelowOverflow = sized({
  quick: settings.filter(({ overflow }) => overflow === "ieee"),
  full: settings,
});

describe.each(subjects)("every number, midpoint and neighbour of $name", ({ oracle, record }) => {
  const points = criticalPoints(oracle);

  it("deterministic, under each rounding", () => {
    const wrong = new Mismatches();
    // tf32 has a quarter of a million numbers: the quick tier takes some of their points, with one sign in turn. The
    // stride is coprime to the points of a number, so that all kinds of them are met.
    const isLong = sized({ quick: oracle.bits > 16, full: false });
    for (let i = 0; i < points.length; i += isLong ? 5 : 1) {
      const point = points[i]!;
      const expected = expectedRounds(point, oracle);
      const signs = isLong ? [i % 2 === 1] : [false, true];
      for (const options of point >= oracle.largest ? settings : settingsBelowOverflow) {
        const { rounding, overflow } = options;
        for (const negative of signs) {
          const x = negative ? -point : point;
          const actual = round(x, record, options);
          const right = expected(negative, rounding, overflow);
          if (!Object.is(actual, right)) wrong.add(actual, right, `round(${x}), ${rounding}, ${overflow}`);
        }
      }
    }
    wrong.expectNone();
  });

  it("stochastic, on both sides of the random bits that decide", () => {
    const wrong = new Mismatches();
    // Coprime to the points of a number, so that all kinds of them are met.
    const stride = sized({ quick: oracle.bits > 16 ? 17 : 1, full: 1 });
    for (let i = 0; i < points.length; i += stride) {
      const point = points[i]!;
      const deciding = Number.isFinite(point) ? 2 ** 32 - placeIn(point, oracle).fraction : 0;
      const expected = expectedRounds(point, oracle);
      for (const randomBits of [0, deciding - 1, deciding, 0xffff_ffff]) {
        if (randomBits < 0 || randomBits > 0xffff_ffff) continue;
        for (const negative of [false, true]) {
          const x = negative ? -point : point;
          const actual = round(x, record, { rounding: "stochastic", randomBits });
          const right = expected(negative, "stochastic", "ieee", randomBits);
          if (!Object.is(actual, right)) wrong.add(actual, right, `round(${x}) with bits ${randomBits}`);
        }
      }
    }
    wrong.expectNone();
  });
});

const subjectsWithSubnormals = subjects.filter(({ record }) => record.subnormals);

/** Codes in ascending order, by the table of values: an independent `decode`. */
function expectedDecode(code: number, oracle: OracleFormat): number {
  const half = 2 ** (oracle.bits - 1);
  const negative = code >= half;
  const { values } = valueTable(oracle);
  const position = negative ? code - half : code;
  if (negative && position === 0 && !oracle.signedZero) return NaN;
  let magnitude = values[position] ?? NaN;
  if (magnitude > oracle.largest) magnitude = oracle.beyond === "infinity" ? Infinity : NaN;
  return negative ? -magnitude : magnitude;
}

describe.each(subjectsWithSubnormals)("every code of $name", ({ oracle, record }) => {
  const codes = 2 ** oracle.bits;

  it("decodes to its place in the table, and encodes back to itself or the canonical NaN", () => {
    const wrong = new Mismatches();
    for (let code = 0; code < codes; code += sized({ quick: oracle.bits > 16 ? 7 : 1, full: 1 })) {
      const value = decode(code, record);
      const expected = expectedDecode(code, oracle);
      if (!Object.is(value, expected)) wrong.add(value, expected, `decode(${code})`);
      const back = encode(value, record);
      const canonical = Number.isNaN(value) ? oracle.nanCode! : code;
      if (back !== canonical) wrong.add(back, canonical, `encode(decode(${code}))`);
    }
    wrong.expectNone();
  });
});

const upTo16Bits = subjectsWithSubnormals.filter(({ oracle }) => oracle.bits <= 16);

it.each(upTo16Bits)("decodeTable of $name holds every code", ({ oracle, record }) => {
  const wrong = new Mismatches();
  const table = decodeTable(record);
  expect(table.length).toBe(2 ** oracle.bits);
  for (let code = 0; code < table.length; code++) {
    wrong.compare(table[code]!, expectedDecode(code, oracle), () => `decodeTable[${code}]`);
  }
  wrong.expectNone();
});

/** Bit patterns of fp32 where something changes: zeros, subnormals, binade ends, the largest, Inf and NaNs. */
const fp32EdgeBits: readonly number[] = Array.from({ length: 256 }, (_, field) => field * 2 ** 23)
  .flatMap((bits) => [bits - 2, bits - 1, bits, bits + 1, bits + 2, bits + 0x40_0000])
  .filter((bits) => bits >= 0)
  .flatMap((bits) => [bits, bits + 2 ** 31]);

describe("fp32", () => {
  /** fp64 numbers between, at and next to the fp32 number of `bits` and its successor in magnitude. */
  function around(bits: number, random: number): number[] {
    const value = float32FromBits(bits);
    const next =
      (bits & 0x7fff_ffff) === 0x7f7f_ffff ? Math.sign(value) * 2 ** 128 : float32FromBits(bits + 1);
    const middle = (value + next) / 2;
    const inside = value + (next - value) * (random / 2 ** 32);
    return [value, middle, middle * (1 - 2 ** -53), middle * (1 + 2 ** -52), inside];
  }

  const random = random32(32);
  const inputs = new Float64Array(sized({ quick: 200_000, full: 1_700_000 }));
  let count = 0;
  for (const bits of fp32EdgeBits) for (const x of around(bits, random())) inputs[count++] = x;
  for (const magnitude of [
    3.5e38,
    2 ** 128 * (1 - 2 ** -53),
    1e308,
    Infinity,
    2 ** -150,
    2 ** -151,
    5e-324,
  ]) {
    for (const x of [magnitude, -magnitude]) inputs[count++] = x;
  }
  while (count + 5 <= inputs.length) for (const x of around(random(), random())) inputs[count++] = x;

  // In the full tier 1.7 million inputs x 6 roundings: 10^7 cases.
  it("is rounded to right on edge and random inputs, under each deterministic rounding", () => {
    const wrong = new Mismatches();
    const record = format("fp32");
    const each = deterministicRoundings.map((rounding) => ({ rounding }));
    for (const x of inputs.subarray(0, count)) {
      const expected = expectedRounds(Math.abs(x), fp32);
      const negative = x < 0 || Object.is(x, -0);
      for (const options of each) {
        const actual = round(x, record, options);
        const right = expected(negative, options.rounding);
        if (!Object.is(actual, right)) wrong.add(actual, right, `round(${x}), ${options.rounding}`);
      }
    }
    wrong.expectNone();
  });

  it("saturates at every edge", () => {
    const wrong = new Mismatches();
    const record = format("fp32");
    for (const rounding of deterministicRoundings) {
      for (const x of inputs.subarray(0, fp32EdgeBits.length * 5 + 14)) {
        const expected = expectedRound(x, fp32, rounding, "saturate");
        wrong.compare(
          round(x, record, { rounding, overflow: "saturate" }),
          expected,
          () => `${rounding} of ${x}`,
        );
      }
    }
    wrong.expectNone();
  });

  it("nearest-even is Math.fround", () => {
    const wrong = new Mismatches();
    const record = format("fp32");
    for (const x of inputs) wrong.compare(round(x, record), Math.fround(x), () => `round(${x})`);
    wrong.expectNone();
  });

  it("codes are the bits of Float32Array", () => {
    const wrong = new Mismatches();
    const record = format("fp32");
    const sampled = Array.from({ length: sized({ quick: 50_000, full: 500_000 }) }, random);
    for (const bits of [...fp32EdgeBits, ...sampled]) {
      const value = float32FromBits(bits);
      wrong.compare(decode(bits, record), value, () => `decode(${bits})`);
      const canonical = Number.isNaN(value) ? fp32.nanCode! : float32Bits(value);
      wrong.compare(encode(value, record), canonical, () => `encode(${value})`);
    }
    wrong.expectNone();
  });
});

describe("fp16 against @petamoriken/float16", () => {
  const record = format("fp16");

  it("round, on every number, midpoint and neighbour, and on random inputs", () => {
    const wrong = new Mismatches();
    const random = random32(16);
    const points = criticalPoints(fp16);
    const check = (x: number): void => wrong.compare(round(x, record), f16round(x), () => `round(${x})`);
    for (const x of points) {
      check(x);
      check(-x);
    }
    for (let i = 0; i < sized({ quick: 100_000, full: 1_400_000 }); i++) {
      // Random fp64 numbers of the binades from 2^-27 to 2^18.
      const magnitude = 2 ** ((random() % 46) - 27) * (1 + random() / 2 ** 32 + random() / 2 ** 64);
      check(i % 2 === 0 ? magnitude : -magnitude);
    }
    wrong.expectNone();
  });

  it("encode and decode, on every code and the fp64 numbers next to it", () => {
    const wrong = new Mismatches();
    const view = new DataView(new ArrayBuffer(2));
    for (let code = 0; code < 65536; code++) {
      view.setUint16(0, code);
      const value = getFloat16(view, 0);
      wrong.compare(decode(code, record), value, () => `decode(${code})`);
      if (Number.isNaN(value)) continue;
      for (const x of [value, stepFloat64(value, 1), stepFloat64(value, -1)]) {
        setFloat16(view, 0, x);
        const expected = view.getUint16(0);
        if (Number.isFinite(x)) wrong.compare(encode(x, record), expected, () => `encode(${x})`);
      }
    }
    wrong.expectNone();
  });
});
