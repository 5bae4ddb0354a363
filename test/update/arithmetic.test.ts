import { describe, expect, it } from "vitest";
import { storageArithmetic } from "../../src/update/arithmetic.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";

function arithmetic(options: UpdateOptions, random = () => 0) {
  return storageArithmetic(updateSettings(options), random);
}

describe("opmath", () => {
  it("exact rounds 1 - 2^-30 toward zero to 0.99609375; fp32 gives 1, as CPFloat does", () => {
    const toward = { format: "bf16", rounding: "toward-zero" } as const;
    expect(arithmetic({ ...toward, opmath: "exact" }).subtract(1, 2 ** -30)).toBe(0.99609375);
    expect(arithmetic(toward).subtract(1, 2 ** -30)).toBe(1);
  });

  it("exact sees a tail that fp64 cannot hold beside the sum", () => {
    const up = arithmetic({ format: "bf16", rounding: "toward-positive", opmath: "exact" });
    expect(up.add(1, 2 ** -149)).toBe(1 + 2 ** -7);
    expect(up.add(2 ** 100, -(2 ** -149))).toBe(2 ** 100);
    const even = arithmetic({ format: "bf16", opmath: "exact" });
    expect(even.add(1 + 2 ** -8, 2 ** -149)).toBe(1 + 2 ** -7);
    expect(even.add(1 + 2 ** -8, 0)).toBe(1);
    const down = arithmetic({ format: "fp32", rounding: "toward-negative", opmath: "exact" });
    expect(down.add(2 ** 30, -(2 ** -149))).toBe(2 ** 30 - 64);
  });

  it("fp32 rounds to fp32 first: a tie in fp32 hides the tail", () => {
    expect(arithmetic({ format: "bf16" }).add(1 + 2 ** -8, 2 ** -40)).toBe(1);
    expect(arithmetic({ format: "bf16", opmath: "exact" }).add(1 + 2 ** -8, 2 ** -40)).toBe(1 + 2 ** -7);
  });

  it("an exact zero from unlike signs is -0 under toward-negative only", () => {
    const exact = { format: "fp32", opmath: "exact" } as const;
    expect(arithmetic({ ...exact, rounding: "toward-negative" }).add(1, -1)).toBe(-0);
    expect(arithmetic({ ...exact, rounding: "nearest-even" }).add(1, -1)).toBe(0);
    expect(arithmetic({ ...exact, rounding: "toward-negative" }).add(0, 0)).toBe(0);
  });

  it("keeps NaN and Inf apart from the error-free transformation", () => {
    const exact = arithmetic({ format: "bf16", opmath: "exact" });
    expect(exact.add(Number.POSITIVE_INFINITY, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(exact.add(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBeNaN();
    expect(exact.add(Number.NaN, 1)).toBeNaN();
  });
});

describe("random bits", () => {
  it("are drawn once a rounding, and only for stochastic rounding", () => {
    let drawn = 0;
    const random = () => {
      drawn += 1;
      return 0xffffffff;
    };
    expect(arithmetic({ format: "bf16", rounding: "stochastic" }, random).add(1, 2 ** -20)).toBe(1 + 2 ** -7);
    expect(drawn).toBe(1);
    arithmetic({ format: "bf16" }, random).add(1, 2 ** -20);
    expect(drawn).toBe(1);
  });
});
