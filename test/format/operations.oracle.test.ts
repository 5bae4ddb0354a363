/** The exact oracle of operations against what else is known: the oracle of sums in units, and arithmetic by hand. */

import { describe, expect, it } from "vitest";
import { random32 } from "../support/bits.js";
import { Draw } from "../support/draw.js";
import {
  exactProductSum,
  exactQuotient,
  exactRoot,
  exactSum,
  locate,
  locateThroughFloat32,
  roundLocated,
} from "../support/exact.js";
import { hardOperands } from "../support/hard-operands.js";
import { bitLength, inverseModPower, squareRootFloor, squareRootsModPower } from "../support/integers.js";
import { expectSame, Mismatches } from "../support/mismatches.js";
import { allRoundings, expectedUnits, toUnits } from "../support/oracle.js";
import { bf16, fp32 } from "../support/oracle-formats.js";
import { allSubjects } from "../support/subjects.js";
import { sized } from "../support/tier.js";

describe("integers", () => {
  it("bitLength at powers of two and one below", () => {
    for (let digits = 1; digits < 1000; digits++) {
      expectSame(bitLength(1n << BigInt(digits - 1)), digits);
      expectSame(bitLength((1n << BigInt(digits)) - 1n), digits);
    }
  });

  it("squareRootFloor at squares and one below", () => {
    expect([0n, 1n, 2n, 3n, 4n, 15n, 16n].map(squareRootFloor)).toEqual([0n, 1n, 1n, 1n, 2n, 3n, 4n]);
    for (let digits = 2; digits < 200; digits++) {
      for (const root of [(1n << BigInt(digits)) - 1n, (1n << BigInt(digits)) + 12_345n]) {
        expect(squareRootFloor(root * root)).toBe(root);
        expect(squareRootFloor(root * root - 1n)).toBe(root - 1n);
      }
    }
  });

  it("inverses and square roots to a power of two, by multiplying out", () => {
    for (let n = 1n; n < 200n; n += 2n) {
      expect(BigInt.asUintN(56, n * inverseModPower(n, 56))).toBe(1n);
      expect(BigInt.asUintN(1, n * inverseModPower(n, 1))).toBe(1n);
      const roots = squareRootsModPower(n, 87);
      expect(new Set(roots).size).toBe(n % 8n === 1n ? 4 : 0);
      for (const root of roots) expect(BigInt.asUintN(87, root * root)).toBe(n);
    }
  });
});

describe("exact sums", () => {
  it.each(allSubjects)("round to $name as sums in units of 2^-1074 do", ({ oracle }) => {
    const mismatches = new Mismatches();
    const random = random32(0xabcdef);
    const draw = new Draw(oracle, random);
    for (let i = 0; i < sized({ quick: 300, full: 2000 }); i++) {
      const [a = 0, b = 0] = hardOperands("add", draw);
      if (!Number.isFinite(a + b) || a + b === 0) continue;
      const located = locate(exactSum(a, b), oracle);
      const randomBits = random();
      for (const rounding of allRoundings) {
        const expected = expectedUnits(toUnits(a) + toUnits(b), oracle, rounding, "ieee", randomBits);
        const actual = roundLocated(located, oracle, rounding, "ieee", randomBits);
        mismatches.compare(actual, expected, () => `${a} + ${b} ${rounding}`);
      }
    }
    mismatches.expectNone();
  });
});

describe("exact results by hand", () => {
  it("a third", () => {
    const third = exactQuotient(1, 3);
    expect(roundLocated(locate(third, bf16), bf16, "toward-zero", "ieee")).toBe(170 / 512);
    expect(roundLocated(locate(third, bf16), bf16, "nearest-even", "ieee")).toBe(171 / 512);
    expect(locate(third, bf16)).toMatchObject({ place: { half: 1, fraction: 0xaaaa_aaaa, exact: false } });
    expect(locateThroughFloat32(third, bf16)).toMatchObject({ place: { fraction: 0xaaab_0000 } });
  });

  it("the root of two, and of four", () => {
    expect(roundLocated(locate(exactRoot(2), fp32), fp32, "toward-zero", "ieee")).toBe(11_863_283 * 2 ** -23);
    expect(exactRoot(-2)).toBe(NaN);
  });

  it("infinities and zeros of a product and a sum", () => {
    expect(exactProductSum(Infinity, 0, 1)).toBe(NaN);
    expect(exactProductSum(Infinity, 1, -Infinity)).toBe(NaN);
    expect(exactProductSum(1, 1, -Infinity)).toBe(-Infinity);
    expect(exactProductSum(-1, 0, -0)).toBe(-0);
    expect(exactProductSum(-1, 0, 0)).toBe("cancelled");
    expect(exactProductSum(3, 5, -15)).toBe("cancelled");
  });
});
