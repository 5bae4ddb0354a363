import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentOf, powerOfTwo, sumTail } from "../../src/format/float64.js";
import { powerOfTwo as anyPowerOfTwo, finiteFloat64, numberOf } from "../support/arbitraries.js";
import { expectSame } from "../support/mismatches.js";
import { toUnits } from "../support/oracle.js";
import { fp32 } from "../support/oracle-formats.js";
import { sized } from "../support/tier.js";

describe("powerOfTwo", () => {
  it("is exact over the normal range", () => {
    for (let exponent = -1022; exponent <= 1023; exponent++) {
      expectSame(powerOfTwo(exponent), 2 ** exponent);
    }
  });
});

describe("exponentOf", () => {
  it("is exact at every power of two, subnormal ones included, and one ulp below", () => {
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      expectSame(exponentOf(2 ** exponent), exponent);
      expectSame(exponentOf(-(2 ** exponent)), exponent);
      if (exponent > -1074) {
        const below = 2 ** exponent - Math.max(2 ** (exponent - 53), 2 ** -1074);
        expectSame(exponentOf(below), exponent - 1);
      }
    }
  });

  it("is the number of binary digits of the exact number", () => {
    fc.assert(
      fc.property(finiteFloat64, (x) => {
        fc.pre(x !== 0);
        expectSame(exponentOf(x), toUnits(Math.abs(x)).toString(2).length - 1 - 1074);
      }),
      { numRuns: sized({ quick: 1000, full: 5000 }) },
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
        const found = toUnits(sum) + toUnits(sumTail(a, b, sum));
        if (found !== toUnits(a) + toUnits(b)) expect(found).toBe(toUnits(a) + toUnits(b));
      }),
      { numRuns: sized({ quick: 4000, full: 20_000 }) },
    );
  });

  it("does not mind which term is larger", () => {
    expect(sumTail(1, 2 ** -60, 1)).toBe(2 ** -60);
    expect(sumTail(2 ** -60, 1, 1)).toBe(2 ** -60);
    expect(sumTail(1, -(2 ** -60), 1)).toBe(-(2 ** -60));
  });
});
