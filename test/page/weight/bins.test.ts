import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../../src/format/encode.js";
import type { Format } from "../../../src/format/format.js";
import { format, formats } from "../../../src/format/registry.js";
import { round } from "../../../src/format/round.js";
import { bitsOf, gridIn, ticksIn } from "../../../src/page/weight/bins.js";

const narrow = [...formats.values()].filter(({ bits }) => bits <= 8);

/** All finite numbers of a format, each once, ascending. */
function numbersOf(storageFormat: Format): number[] {
  const all = Array.from({ length: 2 ** storageFormat.bits }, (_, code) =>
    decode(code, storageFormat),
  ).filter(Number.isFinite);
  return [...new Set(all.map((x) => x + 0))].sort((a, b) => a - b);
}

describe("ticks", () => {
  test.each(narrow.map(({ name }) => name))("%s: all numbers where there is room", (name) => {
    const resolved = format(name);
    const all = numbersOf(resolved);
    expect(ticksIn(-resolved.maxFinite, resolved.maxFinite, resolved, 1000)).toEqual({
      values: all,
      stride: 1,
    });
  });

  test("are never more than there is room for, and numbers of the format", () => {
    const bf16 = format("bf16");
    const end = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(end, end), fc.integer({ min: 4, max: 200 }), (ends, most) => {
        const [low, high] = [Math.min(...ends), Math.max(...ends)];
        const { values } = ticksIn(low, high, bf16, most);
        expect(values.length).toBeLessThanOrEqual(most + 1);
        expect(values.every((x) => round(x, bf16) === x && x >= low && x <= high)).toBe(true);
        expect(values).toEqual([...values].sort((a, b) => a - b));
      }),
    );
  });
});

test("bits come sign first", () => {
  expect(bitsOf(-1.5, format("bf16")).join("")).toBe("1011111111000000");
  expect(bitsOf(1, format("fp32")).join("")).toBe(`0${(127).toString(2).padStart(8, "0")}${"0".repeat(23)}`);
});

describe("grid lines", () => {
  test("are spread over a range that is wide against its numbers", () => {
    const lines = gridIn(-6e31, 1e33, format("bf16"));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const gaps = lines.slice(1).map((value, i) => value - lines[i]);
    expect(Math.min(...gaps)).toBeGreaterThan(1e32);
    for (const value of lines) expect(round(value, format("bf16"))).toBe(value);
  });

  test("are all numbers in a narrow range", () => {
    const bf16 = format("bf16");
    expect(gridIn(1, 1.0625, bf16)).toEqual(ticksIn(1, 1.0625, bf16, 24).values);
  });
});
