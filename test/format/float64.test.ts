import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentOf, powerOfTwo, sumTail } from "../../src/format/float64.js";
import { powerOfTwo as anyPowerOfTwo, finiteFloat64, numberOf } from "../support/arbitraries.js";
import { toUnits } from "../support/oracle.js";
import { fp32 } from "../support/oracle-formats.js";

describe("powerOfTwo", () => {
  it("is exact over the normal range", () => {
    for (let exponent = -1022; exponent <= 1023; exponent++) {
      expect(powerOfTwo(exponent)).toBe(2 ** exponent);
    }
  });
});

describe("exponentOf", () => {
  it("is exact at every power of two, subnormal ones included, and one ulp below", () => {
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      expect(exponentOf(2 ** exponent)).toBe(exponent);
      expect(exponentOf(-(2 ** exponent))).toBe(exponent);
      if (exponent > -1074) {
        const below = 2 ** exponent - Math.max(2 ** (exponent - 53), 2 ** -1074);
        expect(exponentOf(below)).toBe(exponent - 1);
      }
    }
  });

  it("is the number of binary digits of the exact number", () => {
    fc.assert(
      fc.property(finiteFloat64, (x) => {
        fc.pre(x !== 0);
        expect(exponentOf(x)).toBe(toUnits(Math.abs(x)).toString(2).length - 1 - 1074);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("sumTail", () => {
  it("is the exact error of a sum", () => {
    const term = fc.oneof(finiteFloat64, anyPowerOfTwo, numberOf(fp32));
    fc.assert(
      fc.property(term, term, (a, b) => {
        const sum = a + b;
        fc.pre(Number.isFinite(sum));
        expect(toUnits(sum) + toUnits(sumTail(a, b, sum))).toBe(toUnits(a) + toUnits(b));
      }),
      { numRuns: 20_000 },
    );
  });

  it("does not mind which term is larger", () => {
    expect(sumTail(1, 2 ** -60, 1)).toBe(2 ** -60);
    expect(sumTail(2 ** -60, 1, 1)).toBe(2 ** -60);
    expect(sumTail(1, -(2 ** -60), 1)).toBe(-(2 ** -60));
  });
});
