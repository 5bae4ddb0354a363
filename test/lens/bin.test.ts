import { describe, expect, test } from "vitest";
import { decode } from "../../src/format/encode.js";
import type { Format } from "../../src/format/format.js";
import { format, formats } from "../../src/format/registry.js";
import { type Rounding, round, roundings } from "../../src/format/round.js";
import { binOf } from "../../src/lens/bin.js";

const narrow = [...formats.values()].filter(({ bits }) => bits <= 8);
const deterministic = roundings.filter((rounding) => rounding !== "stochastic");

/** All finite numbers of a format, each once, ascending. */
function numbersOf(storageFormat: Format): number[] {
  const all = Array.from({ length: 2 ** storageFormat.bits }, (_, code) =>
    decode(code, storageFormat),
  ).filter(Number.isFinite);
  return [...new Set(all.map((x) => x + 0))].sort((a, b) => a - b);
}

describe("bins", () => {
  test.each(
    narrow.flatMap((storageFormat) =>
      deterministic.flatMap((rounding) =>
        (["ieee", "saturate"] as const).map((overflow): [string, Rounding, "ieee" | "saturate"] => [
          storageFormat.name,
          rounding,
          overflow,
        ]),
      ),
    ),
  )(
    "%s %s %s: what lies in a bin rounds to its number, and nothing else does",
    (name, rounding, overflow) => {
      const resolved = format(name);
      const by = (x: number) => round(x, resolved, { rounding, overflow }) + 0;
      for (const value of numbersOf(resolved)) {
        const { low, high, lowIncluded, highIncluded } = binOf(value, resolved, rounding, overflow);
        expect([value, by(low) === value, by(high) === value]).toEqual([value, lowIncluded, highIncluded]);
        const [left, right] = [Math.max(low, -1e6), Math.min(high, 1e6)];
        for (const part of [1 / 64, 1 / 3, 63 / 64]) {
          const x = left + (right - left) * part;
          if (left < right) expect([value, x, by(x)]).toEqual([value, x, value]);
        }
        const out = 2 ** -40;
        for (const x of [low - Math.abs(low) * out - out ** 2, high + Math.abs(high) * out + out ** 2]) {
          if (Number.isFinite(x)) expect(by(x)).not.toBe(value);
        }
      }
    },
  );

  test("under stochastic rounding reach from neighbour to neighbour", () => {
    const ends = { lowIncluded: false, highIncluded: false };
    expect(binOf(1, format("bf16"), "stochastic")).toEqual({
      value: 1,
      low: 1 - 2 ** -8,
      high: 1 + 2 ** -7,
      ...ends,
    });
    expect(binOf(65504, format("fp16"), "stochastic")).toMatchObject({ low: 65472, high: 65536, ...ends });
  });

  test("at a power of two are narrower below", () => {
    expect(binOf(1, format("bf16"), "nearest-even")).toEqual({
      value: 1,
      low: 1 - 2 ** -9,
      high: 1 + 2 ** -8,
      lowIncluded: true,
      highIncluded: true,
    });
  });
});
