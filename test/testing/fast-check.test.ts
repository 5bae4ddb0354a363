import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockFormats } from "../../src/format/block/block-format.js";
import { quantize } from "../../src/format/block/quantize.js";
import { formats } from "../../src/format/registry.js";
import { round } from "../../src/format/round.js";
import * as arbitraries from "../../src/testing/fast-check.js";
import { checkQuantizer } from "../../src/testing/index.js";

const names = [...formats.keys()].filter((name) => name !== "fp32");

describe.each(names)("arbitraries of %s", (name) => {
  it("numbers are numbers of it, midpoints lie halfway between two", () => {
    fc.assert(fc.property(arbitraries.numbers(name), (x) => round(x, name) === x));
    fc.assert(
      fc.property(arbitraries.midpoints(name), (x) => {
        const down = round(x, name, { rounding: "toward-negative", overflow: "saturate" });
        const up = round(x, name, { rounding: "toward-positive", overflow: "saturate" });
        return down < up ? x - down === up - x : Math.abs(x) > Math.abs(down);
      }),
    );
  });

  it("subnormals lie below the normal numbers, powers of two are such", () => {
    const { minNormal } = formats.get(name)!;
    fc.assert(
      fc.property(
        arbitraries.subnormals(name),
        (x) => x !== 0 && Math.abs(x) < minNormal && round(x, name) === x,
      ),
    );
    fc.assert(fc.property(arbitraries.powersOfTwo(name), (x) => Number.isInteger(Math.log2(Math.abs(x)))));
  });

  it("operands are numbers of it", () => {
    for (const operation of ["add", "div", "fma", "sqrt"] as const) {
      fc.assert(
        fc.property(arbitraries.operands(operation, name), (xs) =>
          xs.every((x) => Object.is(round(x, name), x)),
        ),
        { numRuns: 50 },
      );
    }
  });
});

it("what is half up is found by inputs in a hundred runs, and shrunk to a small tie", () => {
  const halfUp = (x: number) => (Math.abs(x) < 65504 ? Math.round(x * 2 ** 24) / 2 ** 24 : round(x, "fp16"));
  const subnormal = (x: number) => Math.abs(x) >= 2 ** -14 || Object.is(halfUp(x) + 0, round(x, "fp16") + 0);
  const { failed, counterexample } = fc.check(fc.property(arbitraries.nearTies("fp16"), subnormal), {
    seed: 1,
    numRuns: 1_000,
  });
  expect(failed).toBe(true);
  expect(Math.abs(counterexample![0]) % 2 ** -24).toBe(2 ** -25);
});

it.each([...blockFormats.keys()].filter((name) => !name.includes("128")))(
  "blocks of %s are whole",
  (name) => {
    const { rows, columns } = blockFormats.get(name)!;
    fc.assert(
      fc.property(arbitraries.blocks(name), ({ data, shape: [height, width] }) => {
        return data.length === height * width && height % rows === 0 && width % columns === 0;
      }),
      { numRuns: 50 },
    );
    expect(
      checkQuantizer((data, shape) => quantize(data, shape, name), name, { level: 1 }).cases,
    ).toBeGreaterThan(100);
  },
);
