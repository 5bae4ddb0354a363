/**
 * Sums and products have an exact tail; that of a quotient or a root is itself rounded. This proves that it decides
 * every rounding all the same, stochastic with its 32-bit fraction included.
 *
 * To round to p digits, an operation must know on which side of a step of 2^-32 gaps the result lies; numbers of the
 * format and midpoints are such steps too. Scale the result so that the steps are the integers: it lies in
 * [2^(n-1), 2^n) with n = p + 32. The fp64 quotient or root is off by d <= 2^(n-54). Its remainder is a fp64 number,
 * so the tail is d with an error of 2^(n-107) at most from one division, and for a root of d^2 / (2 root) <= 2^(n-108)
 * more, as it is one step of Newton. A result that is an integer is exact in fp64, and its tail is 0. So the tail
 * decides unless a result lies within 1.5 * 2^(n-107) of an integer without being one. A subnormal result has fewer
 * digits n, and more room.
 */

import { describe, expect, it } from "vitest";
import { random32 } from "../support/bits.js";
import { inverseModPower, squareRootsModPower } from "../support/integers.js";
import { Mismatches } from "../support/mismatches.js";
import { compareEveryRounding, operationCases } from "../support/operations.js";
import { allSubjects } from "../support/subjects.js";

/** Digits of an fp32 significand, the longest operand. */
const OPERAND_DIGITS = 24;

/**
 * The integers N of n digits (and 2^n) with 0 < |N^2 - A| <= most for an A of `digits` significant binary digits
 * about as large: A is then divisible by 2^(2n-1-digits), and N^2 - A = c makes N a 2-adic square root of c to that
 * many digits.
 */
function squaresNear(n: number, digits: number, most: number): bigint[] {
  const zeros = 2 * n - 1 - digits;
  const found = new Set<bigint>();
  for (let size = 1; size <= most; size++) {
    const twos = Math.log2(size & -size);
    // The square of 2^j M ends in an even number of zeros; `size` has fewer than `zeros` of them.
    if (twos % 2 === 1) continue;
    const free = zeros - twos;
    const scale = 2n ** BigInt(twos / 2);
    for (const c of [size, -size]) {
      for (const root of squareRootsModPower(BigInt(c) / 2n ** BigInt(twos), free)) {
        for (let m = root; m * scale <= 2n ** BigInt(n); m += 2n ** BigInt(free)) {
          if (m * scale >= 2n ** BigInt(n - 1)) found.add(m * scale);
        }
      }
    }
  }
  return [...found].sort((a, b) => Number(a - b));
}

describe("the tail of a root", () => {
  it("squares near short numbers are found: by search, the same ones", () => {
    const [n, digits, most] = [18, 14, 300];
    const zeros = 2 ** (2 * n - 1 - digits);
    const expected: bigint[] = [];
    for (let root = 2 ** (n - 1); root <= 2 ** n; root++) {
      const rest = (root * root) % zeros;
      if (rest !== 0 && (rest <= most || zeros - rest <= most)) expected.push(BigInt(root));
    }
    expect(expected.length).toBeGreaterThan(10);
    expect(squaresNear(n, digits, most)).toEqual(expected);
  });

  it.each([21, 22, 23, 24])("decides between steps of 2^-32 gaps at precision %i", (precision) => {
    const n = precision + 32;
    // |sqrt A - N| <= 1.5 * 2^(n-107), times sqrt A + N < 2^(n+1), doubled for good measure: 192 at precision 24.
    const most = Math.ceil(2 * 1.5 * 2 ** (2 * n - 106));
    expect(squaresNear(n, OPERAND_DIGITS, most)).toEqual([]);
  });

  it("needs no search at less precision: squares and numbers are integers, which differ by 1 or more", () => {
    const n = 20 + 32;
    expect(2 * 1.5 * 2 ** (2 * n - 106)).toBeLessThan(1);
  });
});

describe("the tail of a quotient", () => {
  it("decides: a 2^m / b and N differ by at least 1 / b or not at all", () => {
    const n = 24 + 32;
    expect(2 ** (n - 107)).toBeLessThan(2 ** -OPERAND_DIGITS);
  });

  it("decides where they differ by 1 / b, for large b", () => {
    const mismatches = new Mismatches();
    const subject = allSubjects.find(({ name }) => name === "fp32")!;
    const division = operationCases.find(({ name }) => name === "div")!;
    const random = random32(0x600d_5eed);
    let nearest = 0;
    for (let i = 0; i < 10_000; i++) {
      const b = 2 ** 24 - 1 - 2 * (random() % 2 ** 20);
      for (const distance of [1n, -1n]) {
        // a 2^digits = N b + distance.
        const digits = 56;
        const n = BigInt.asUintN(digits, -distance * inverseModPower(BigInt(b), digits));
        const a = Number((n * BigInt(b) + distance) >> BigInt(digits));
        const setting = { subject, opmath: "exact", overflow: "ieee", randomBits: random() } as const;
        compareEveryRounding(division, [a, b, 0], setting, mismatches);
        if (n >= 2n ** 55n) nearest += 1;
      }
    }
    mismatches.expectNone();
    expect(nearest).toBeGreaterThan(5000);
  });
});
