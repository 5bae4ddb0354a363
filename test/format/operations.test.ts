/** add, sub, mul, div, sqrt, fma against exact integer arithmetic, under every rounding. */

import { describe, expect, it } from "vitest";
import { add, div, fma, mul, opmaths, sqrt, sub } from "../../src/format/operations.js";
import { format } from "../../src/format/registry.js";
import { random32 } from "../support/bits.js";
import { Draw } from "../support/draw.js";
import type { Located } from "../support/exact.js";
import { hardOperands } from "../support/hard-operands.js";
import { Mismatches } from "../support/mismatches.js";
import { compareEveryRounding, locators, operationCases } from "../support/operations.js";
import { overflowModes } from "../support/oracle.js";
import type { OracleFormat } from "../support/oracle-formats.js";
import { allSubjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

const bf16 = format("bf16");
const fp16 = format("fp16");
const fp32 = format("fp32");

const hardSubjects = allSubjects.filter(({ name }) => ["fp32", "fp16", "bf16", "e4m3fn"].includes(name));

/** Sets of operands for each operation and format. */
const draws = sized({ quick: 1500, full: 20_000 });

describe.each(operationCases)("$name of operands chosen for their result", (operation) => {
  it.each(hardSubjects)("to $name, under all roundings", (subject) => {
    const mismatches = new Mismatches();
    const random = random32(0x2545_f491);
    const draw = new Draw(subject.oracle, random);
    for (let i = 0; i < draws; i++) {
      const operands = hardOperands(operation.name, draw);
      for (const opmath of opmaths) {
        const setting = { subject, opmath, overflow: overflowModes[i % 2]!, randomBits: random() };
        compareEveryRounding(operation, operands, setting, mismatches);
      }
    }
    mismatches.expectNone();
  });

  it.each(hardSubjects)("to $name, are hard", (subject) => {
    const draw = new Draw(subject.oracle, random32(0x2545_f491));
    const located = Array.from({ length: sized({ quick: 1500, full: 4000 }) }, () => {
      const [a = 0, b = 0, c = 0] = hardOperands(operation.name, draw);
      return locators.exact(operation.exact(a, b, c), subject.oracle);
    });
    const share = (is: (result: Located) => boolean) => located.filter(is).length / located.length;
    expect(share(isHair)).toBeGreaterThan(0.05);
    expect(share(isInexact)).toBeGreaterThan(0.4);
    expect(share((result) => !("place" in result))).toBeGreaterThan(0.02);
    if (hasInexactSubnormals(operation.name, subject.oracle)) {
      const { normalExponent } = subject.oracle;
      const isSubnormal = (result: Located) => "place" in result && result.place.below < 2 ** normalExponent;
      expect(share((result) => isInexact(result) && isSubnormal(result))).toBeGreaterThan(0.005);
    }
  });
});

function isInexact(result: Located): boolean {
  return "place" in result && !result.place.exact;
}

/** Within 2^-12 gaps of a number or a midpoint, but not a number. */
function isHair(result: Located): boolean {
  if (!("place" in result) || result.place.exact) return false;
  const fromBoundary = (result.place.fraction + 2 ** 20) % 2 ** 31;
  return fromBoundary < 2 ** 21;
}

/** Sums of fp32 numbers are exact below its normal numbers, and no root of one is below 2^-75. */
function hasInexactSubnormals(operation: string, { name, normalExponent }: OracleFormat): boolean {
  if (operation === "sqrt") return normalExponent > -75;
  return name !== "fp32" || !["add", "sub"].includes(operation);
}

describe.each(operationCases)("$name of zeros, infinities, NaN and extremes", (operation) => {
  const magnitudes = [0, 1, 2 ** -149, 3.4028234663852886e38, Infinity];
  const values = [...magnitudes.flatMap((x) => [x, -x]), NaN];

  it.each(allSubjects)("to $name", (subject) => {
    const mismatches = new Mismatches();
    const second = operation.operands >= 2 ? values : [0];
    const third = operation.operands === 3 ? values : [0];
    for (const a of values) {
      for (const b of second) {
        for (const c of third) {
          for (const opmath of opmaths) {
            for (const overflow of overflowModes) {
              const setting = { subject, opmath, overflow, randomBits: 0 };
              compareEveryRounding(operation, [a, b, c], setting, mismatches);
            }
          }
        }
      }
    }
    mismatches.expectNone();
  });
});

describe("the sign of an exact zero", () => {
  const down = { rounding: "toward-negative", opmath: "exact" } as const;

  it("from terms of unlike signs is -0 toward negative, zeros of unlike signs included", () => {
    expect(add(1, -1, bf16, down)).toBe(-0);
    expect(add(0, -0, bf16, down)).toBe(-0);
    expect(add(-0, 0, bf16, down)).toBe(-0);
    expect(sub(0, 0, bf16, down)).toBe(-0);
    expect(fma(0, 3, -0, bf16, down)).toBe(-0);
    expect(fma(2, 3, -6, bf16, down)).toBe(-0);
  });

  it("from terms of unlike signs is +0 under the other roundings", () => {
    for (const rounding of ["nearest-even", "toward-zero", "toward-positive", "to-odd"] as const) {
      expect(add(1, -1, bf16, { rounding, opmath: "exact" })).toBe(0);
      expect(add(-0, 0, bf16, { rounding, opmath: "exact" })).toBe(0);
      expect(fma(0, -3, 0, bf16, { rounding, opmath: "exact" })).toBe(0);
    }
  });

  it("is that of its terms where they agree", () => {
    expect(add(0, 0, bf16, down)).toBe(0);
    expect(sub(0, -0, bf16, down)).toBe(0);
    expect(add(-0, -0, bf16)).toBe(-0);
    expect(fma(-0, 3, -0, bf16, { opmath: "exact" })).toBe(-0);
    expect(mul(-0, 3, bf16)).toBe(-0);
    expect(div(0, -3, bf16)).toBe(-0);
    expect(sqrt(-0, bf16)).toBe(-0);
  });

  it("under fp32 opmath is that of the sum in fp32 by nearest-even", () => {
    expect(add(1, -1, bf16, { rounding: "toward-negative" })).toBe(0);
  });
});

describe("fma", () => {
  it("in fp32 is rounded once, where fround(a * b + c) is rounded twice", () => {
    // The product is half a gap of c less 2^-70, which the fp64 sum drops: it makes a tie of it.
    const [a, b, c] = [2 ** -24 * (1 + 2 ** -23), 1 - 2 ** -23, 1 + 2 ** -23];
    expect(Math.fround(a * b + c)).toBe(1 + 2 ** -22);
    expect(fma(a, b, c, fp32)).toBe(1 + 2 ** -23);
    expect(fma(2 ** -24, 1, 1, fp32)).toBe(1);
    expect(fma(2 ** -24 * (1 + 2 ** -23), 1 + 2 ** -23, 1, fp32)).toBe(1 + 2 ** -23);
  });

  it("on hard operands is often not what fround(a * b + c) gives", () => {
    const fmaCase = operationCases.find(({ name }) => name === "fma")!;
    const { oracle } = hardSubjects.find(({ name }) => name === "fp32")!;
    const draw = new Draw(oracle, random32(7));
    let naive = 0;
    for (let i = 0; i < 5000; i++) {
      const [a = 0, b = 0, c = 0] = hardOperands("fma", draw);
      const right = fma(a, b, c, fp32);
      if (Object.is(right, Math.fround(a * b + c))) continue;
      naive += 1;
      const located = locators.exact(fmaCase.exact(a, b, c), oracle);
      expect("place" in located && [located.place.below, located.place.above]).toContain(Math.abs(right));
    }
    expect(naive).toBeGreaterThan(50);
  });
});

describe("options", () => {
  it("default to nearest-even, Inf on overflow, and fp32 opmath", () => {
    expect(add(1, 2 ** -8, bf16)).toBe(1);
    expect(mul(256, 256, fp16)).toBe(Infinity);
    expect(mul(256, 256, fp16, { overflow: "saturate" })).toBe(65504);
    expect(add(1 + 2 ** -8, 2 ** -40, bf16)).toBe(1);
    expect(add(1 + 2 ** -8, 2 ** -40, bf16, { opmath: "exact" })).toBe(1.0078125);
  });

  it.each(operationCases)("$name: stochastic rounding needs random bits", ({ apply }) => {
    expect(() => apply(1, 1, 1, bf16, { rounding: "stochastic" })).toThrow(TypeError);
    expect(apply(1, 1, 0, bf16, { rounding: "stochastic", randomBits: 0 })).toBeTypeOf("number");
  });
});
