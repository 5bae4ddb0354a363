import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { roundSum } from "../../src/format/round.js";
import { Draw } from "../../src/vectors/draw.js";
import { operationNames, operations } from "../../src/vectors/operation.js";
import { markingNumbers, operationInputs } from "../../src/vectors/operation-inputs.js";
import { Mismatches } from "../support/mismatches.js";
import { deterministicRoundings } from "../support/oracle.js";

const formats = ["fp32", "bf16", "fp16", "e4m3fn"].map((name) => format(name));

describe.each(operationNames)("%s", (name) => {
  const operation = operations[name];

  it("rounded to odd in fp64 and then on is rounded once", () => {
    const wrong = new Mismatches();
    for (const to of formats) {
      const draw = new Draw(7, name);
      let left = 3_000;
      for (const [a, b, c] of operationInputs(operation, to, "1", draw)) {
        if (draw.below(4) > 0) continue;
        if (left-- === 0) break;
        const exact = operation.exact(a, b, c);
        for (const rounding of deterministicRoundings) {
          const found = roundSum(exact, 0, to, rounding, "ieee", 0);
          const right = operation.apply(a, b, c, to, { rounding, opmath: "exact" });
          // The sign of a sum that is zero depends on the rounding, not on the exact result.
          if (right === 0 && found === 0) continue;
          wrong.compare(found, right, () => `${name}(${a}, ${b}, ${c}) to ${to.name}, ${rounding}`);
        }
      }
    }
    wrong.expectNone();
  });

  it("is asked at ties, next to ties, below the normal range and where it overflows", () => {
    const to = format("bf16");
    const seen = { ties: 0, near: 0, subnormal: 0, overflow: 0 };
    for (const [a, b, c] of operationInputs(operation, to, "1", new Draw(0, name))) {
      const exact = Math.abs(operation.exact(a, b, c));
      if (!Number.isFinite(exact) || exact === 0) continue;
      const gap = 2 ** Math.max(Math.floor(Math.log2(exact)) - 7, -133);
      const rest = Math.abs(((exact / gap) % 1) - 0.5);
      if (rest === 0) seen.ties += 1;
      else if (rest < 2 ** -7) seen.near += 1;
      if (exact < 2 ** -126) seen.subnormal += 1;
      if (exact > to.maxFinite) seen.overflow += 1;
    }
    const least = name === "sqrt" ? [0, 50, 0, 0] : [name === "div" ? 1 : 50, 50, 50, 20];
    for (const [i, found] of Object.values(seen).entries())
      expect(found, JSON.stringify(seen)).toBeGreaterThanOrEqual(least[i]);
  });
});

it("level 2 of two operands of 8 bits is every pair, once", () => {
  const pairs = [...operationInputs(operations.add, format("e5m2"), "2", new Draw(0, "add"))];
  // Six codes are NaN, of which one stands for all.
  expect(pairs.length).toBe((2 ** 8 - 5) ** 2);
});

it.each(formats)("numbers that mark the range of $name are numbers of it, in both signs", (storageFormat) => {
  const numbers = markingNumbers(storageFormat, 60);
  expect(numbers).toEqual(
    expect.arrayContaining([0, -0, storageFormat.minPositive, storageFormat.maxFinite, NaN]),
  );
  for (const x of numbers) expect(roundSum(x, 0, storageFormat, "nearest-even", "ieee", 0)).toBe(x);
});
