import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactDecimal } from "../../src/report/decimal.js";
import { toUnits } from "../support/oracle.js";

/** The number of a decimal text times 10^power, by its digits. */
function scaled(text: string, power: number): bigint {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e(-?\d+))?$/.exec(text)!;
  const zeros = power + Number(exponent) - fraction.length;
  const digits = BigInt(whole! + fraction) * 10n ** BigInt(Math.max(0, zeros));
  expect(zeros).toBeGreaterThanOrEqual(0);
  return sign === "-" ? -digits : digits;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("exactDecimal", () => {
  test.each([
    [0.02001953125, "0.02001953125"],
    [0.1, "0.1000000000000000055511151231257827021181583404541015625"],
    [Math.fround(1e-6), "9.999999974752427078783512115478515625e-7"],
    [0.0001, "0.000100000000000000004792173602385929598312941379845142364501953125"],
    [2 ** -14, "6.103515625e-5"],
    [2 ** -13, "0.0001220703125"],
    [-12.5, "-12.5"],
    [100, "100"],
    [1, "1"],
    [2 ** 66, "73786976294838206464"],
    [1e21, "1e21"],
    [2 ** 70, "1.180591620717411303424e21"],
    [0, "0"],
    [-0, "-0"],
    [Number.NaN, "NaN"],
    [Infinity, "Inf"],
    [-Infinity, "-Inf"],
  ])("%f is %s", (x, text) => {
    expect(exactDecimal(x)).toBe(text);
  });

  test("has every digit of a sum that fp64 cannot hold", () => {
    expect(exactDecimal(1, 2 ** -60)).toBe("1.000000000000000000867361737988403547205962240695953369140625");
    expect(exactDecimal(1, -1)).toBe("0");
    expect(exactDecimal(Infinity, 1)).toBe("Inf");
  });

  test("is the number, exactly, down to subnormals, and reads back as it", () => {
    fc.assert(
      fc.property(fc.oneof(finite, fc.constantFrom(5e-324, 2 ** -1022, Number.MAX_VALUE)), (x) => {
        const text = exactDecimal(x);
        expect(Number(text)).toBe(x);
        // x 2^1074 is an integer, and so is x 10^1074.
        expect(scaled(text, 1074) * 2n ** 1074n).toBe(toUnits(x) * 10n ** 1074n);
        expect(text).not.toMatch(/\.\d*0(e|$)|\.(e|$)/);
      }),
      { numRuns: 200 },
    );
  });

  test("of two numbers is their sum, exactly", () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const sum = toUnits(a) + toUnits(b);
        expect(scaled(exactDecimal(a, b), 1074) * 2n ** 1074n).toBe(sum * 10n ** 1074n);
      }),
      { numRuns: 100 },
    );
  });
});
