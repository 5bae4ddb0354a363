import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { type Rounding, roundSum } from "../../src/format/round.js";

/** The gap at 1024 is 8, and 2^-1074 / 8 is no fp64 number. */
describe("a tail too small for fp64 in gaps counts by its sign", () => {
  const [x, tail, bf16] = [1024, 2 ** -1074, format("bf16")];

  it.each<[Rounding, up: number, down: number]>([
    ["nearest-even", 1024, 1024],
    ["nearest-away", 1024, 1024],
    ["toward-zero", 1024, 1020],
    ["toward-positive", 1032, 1024],
    ["toward-negative", 1024, 1020],
    ["to-odd", 1032, 1020],
  ])("%s", (rounding, up, down) => {
    expect(roundSum(x, tail, bf16, rounding, "ieee", 0)).toBe(up);
    expect(roundSum(x, -tail, bf16, rounding, "ieee", 0)).toBe(down);
  });

  it("stochastic: a chance of 0 stays, and one of nearly 1 is floor(2^32 r) / 2^32", () => {
    expect(roundSum(x, tail, bf16, "stochastic", "ieee", 2 ** 32 - 1)).toBe(1024);
    expect(roundSum(x, -tail, bf16, "stochastic", "ieee", 0)).toBe(1020);
    expect(roundSum(x, -tail, bf16, "stochastic", "ieee", 1)).toBe(1024);
  });
});
