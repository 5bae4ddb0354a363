/** What computing in fp32 first (fp32 opmath) changes against rounding the exact result once (exact opmath). */

import { describe, expect, it } from "vitest";
import { add, div, fma, mul, type OperationOptions, opmaths, sub } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import type { Rounding } from "../../src/format/round.js";
import { random32 } from "../support/bits.js";
import { Draw } from "../support/draw.js";
import { hardOperands } from "../support/hard-operands.js";
import { Mismatches } from "../support/mismatches.js";
import { compareEveryRounding, operationCases } from "../support/operations.js";
import { deterministicRoundings } from "../support/oracle.js";
import { valueTable } from "../support/oracle-formats.js";
import { allSubjects, type Subject } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const bf16 = format("bf16");
const fp16 = format("fp16");

const subjects = (...names: string[]) => allSubjects.filter(({ name }) => names.includes(name));
const binary = operationCases.filter(({ name }) => name !== "fma");

/** Zeros and all finite numbers of a small format, both signs. */
function numbersOf({ oracle }: Subject): number[] {
  const values = [...valueTable(oracle).values].filter((x) => x <= oracle.largest);
  return values.flatMap((x) => [x, -x]);
}

/** Both opmaths, the same settings otherwise. */
function both(apply: (options: OperationOptions) => number, rounding: Rounding) {
  return { fp32: apply({ rounding, opmath: "fp32" }), exact: apply({ rounding, opmath: "exact" }) };
}

describe("nearest-even through fp32 is innocuous for add, sub, mul, div, sqrt: shown, not assumed", () => {
  describe.each(subjects("e4m3fn", "e5m2"))("pairs of $name", (subject) => {
    it.each(binary)("$name", (operation) => {
      const mismatches = new Mismatches();
      const numbers = numbersOf(subject);
      for (const a of numbers) {
        for (const b of operation.operands === 2 ? numbers : [0]) {
          const result = (options: OperationOptions) => operation.apply(a, b, 0, subject.record, options);
          const { fp32, exact } = both(result, "nearest-even");
          mismatches.compare(fp32, exact, () => `${operation.name}(${a}, ${b})`);
        }
      }
      mismatches.expectNone();
    });

    it.each(binary)("$name is right under every rounding and both opmaths", (operation) => {
      const mismatches = new Mismatches();
      const random = random32(0x1234_5677);
      const numbers = numbersOf(subject);
      // Coprime to 2 and to the four or eight numbers of a binade.
      const someNumbers = numbers.filter((_, i) => i % sized({ quick: 5, full: 1 }) === 0);
      for (const a of numbers) {
        for (const b of operation.operands === 2 ? someNumbers : [0]) {
          const randomBits = random();
          for (const opmath of opmaths) {
            const setting = { subject, opmath, overflow: "ieee", randomBits } as const;
            compareEveryRounding(operation, [a, b, 0], setting, mismatches);
          }
        }
      }
      mismatches.expectNone();
    });
  });

  const tf32Products = ({ name }: Subject, operation: string) => name === "tf32" && operation === "mul";

  describe.each(subjects("bf16", "fp16", "tf32"))("hard operands of $name", (subject) => {
    const { record, oracle } = subject;
    it.each(binary.filter(({ name }) => !tf32Products(subject, name)))(
      "$name, ties away too",
      (operation) => {
        const mismatches = new Mismatches();
        const draw = new Draw(oracle, random32(0x0bad_cafe), [oracle]);
        for (let i = 0; i < sized({ quick: 8000, full: 100_000 }); i++) {
          const [a = 0, b = 0] = hardOperands(operation.name, draw);
          for (const rounding of ["nearest-even", "nearest-away"] as const) {
            const { fp32, exact } = both((options) => operation.apply(a, b, 0, record, options), rounding);
            mismatches.compare(fp32, exact, () => `${rounding} ${operation.name}(${a}, ${b})`);
          }
        }
        mismatches.expectNone();
      },
    );
  });

  it("products of bf16 numbers with a subnormal result: 16 digits are just few enough for fp32", () => {
    const mismatches = new Mismatches();
    const stride = sized({ quick: 5, full: 1 });
    for (let exponent = -152; exponent <= -126; exponent++) {
      for (let m = 1; m < 256; m++) {
        for (let n = m; n < 256; n += stride) {
          const [a, b] = [m * 2 ** -70, n * 2 ** (exponent + 70)];
          const { fp32, exact } = both((options) => mul(a, b, bf16, options), "nearest-even");
          mismatches.compare(fp32, exact, () => `${m} * ${n} * 2^${exponent}`);
        }
      }
    }
    mismatches.expectNone();
  });

  it("products, quotients and roots of fp16 numbers come out alike under all roundings but stochastic", () => {
    const { oracle } = subjects("fp16")[0]!;
    const mismatches = new Mismatches();
    for (const operation of binary.filter(({ name }) => ["mul", "div", "sqrt"].includes(name))) {
      const draw = new Draw(oracle, random32(0x5eed), [oracle]);
      for (let i = 0; i < sized({ quick: 5000, full: 50_000 }); i++) {
        const [a = 0, b = 0] = hardOperands(operation.name, draw);
        for (const rounding of deterministicRoundings) {
          const { fp32, exact } = both((options) => operation.apply(a, b, 0, fp16, options), rounding);
          mismatches.compare(fp32, exact, () => `${rounding} ${operation.name}(${a}, ${b})`);
        }
      }
    }
    mismatches.expectNone();
  });
});

describe("through fp32 is not innocuous", () => {
  it("toward zero: 1 - 2^-30 in bf16 is 0.99609375 under exact and 1 under fp32", () => {
    const subtract = (options: OperationOptions) => sub(1, 2 ** -30, bf16, options);
    expect(both(subtract, "toward-zero")).toEqual({ fp32: 1, exact: 0.99609375 });
  });

  it("under the directed roundings and to-odd, for sums", () => {
    const above = (options: OperationOptions) => add(1, 2 ** -30, bf16, options);
    const below = (options: OperationOptions) => sub(1, 2 ** -30, bf16, options);
    expect(both(above, "toward-positive")).toEqual({ fp32: 1, exact: 1.0078125 });
    expect(both(above, "to-odd")).toEqual({ fp32: 1, exact: 1.0078125 });
    expect(both(below, "toward-negative")).toEqual({ fp32: 1, exact: 0.99609375 });
    expect(both(below, "to-odd")).toEqual({ fp32: 1, exact: 0.99609375 });
    const half = (options: OperationOptions) => add(1024, 2 ** -24, fp16, options);
    expect(both(half, "toward-positive")).toEqual({ fp32: 1024, exact: 1025 });
    expect(both(half, "to-odd")).toEqual({ fp32: 1024, exact: 1025 });
  });

  it("under the directed roundings and to-odd, for products and quotients below the range of fp32", () => {
    const product = (options: OperationOptions) => mul(2 ** -100, 2 ** -100, bf16, options);
    const quotient = (options: OperationOptions) => div(2 ** -100, 2 ** 100, bf16, options);
    for (const apply of [product, quotient]) {
      expect(both(apply, "toward-positive")).toEqual({ fp32: 0, exact: 2 ** -133 });
      expect(both(apply, "to-odd")).toEqual({ fp32: 0, exact: 2 ** -133 });
    }
  });

  it("toward zero where fp32 itself overflows", () => {
    const square = (options: OperationOptions) => mul(2 ** 100, 2 ** 100, bf16, options);
    expect(both(square, "toward-zero")).toEqual({ fp32: Infinity, exact: 3.3895313892515355e38 });
  });

  it("under stochastic rounding, whose probability fp32 makes coarser", () => {
    const sum = (options: OperationOptions) =>
      add(1, 2 ** -30, bf16, { ...options, randomBits: 0xffff_ffff });
    expect(both(sum, "stochastic")).toEqual({ fp32: 1, exact: 1.0078125 });
    // 257 / 768 lies a third of a gap above 171 / 512: 0x5555_5555 of 2^32 exactly, 0x5555_0000 in fp32.
    const third = (options: OperationOptions) =>
      div(257, 768, bf16, { ...options, randomBits: 2 ** 32 - 0x5555_5555 });
    expect(both(third, "stochastic")).toEqual({ fp32: 171 / 512, exact: 172 / 512 });
  });

  it("under nearest-even where an operand has more digits than the format, as an fp32 update has", () => {
    const update = 2 ** -8 + 2 ** -31;
    expect(Math.fround(update)).toBe(update);
    expect(both((options) => add(1, update, bf16, options), "nearest-even")).toEqual({
      fp32: 1,
      exact: 1.0078125,
    });
  });

  it("under nearest-even, for products of tf32 numbers, whose 22 digits do not fit fp32 subnormals", () => {
    const product = (options: OperationOptions) =>
      mul(25 * 2 ** -75, 983 * 2 ** -75, format("tf32"), options);
    expect(both(product, "nearest-even")).toEqual({ fp32: 2 ** -135, exact: 2 ** -136 });
  });

  it("under nearest-even, for fma", () => {
    // 9 * 29 = 261 is midway between 260 and 262, and the third term too small for fp32 to keep beside it.
    const bfloat16 = (options: OperationOptions) => fma(9, 29, 2 ** -20, bf16, options);
    expect(both(bfloat16, "nearest-even")).toEqual({ fp32: 260, exact: 262 });
    const float16 = (options: OperationOptions) => fma(3, 683, 2 ** -14, fp16, options);
    expect(both(float16, "nearest-even")).toEqual({ fp32: 2048, exact: 2050 });
  });
});
