import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ulp } from "../../src/format/neighbours.js";
import { format, formats } from "../../src/format/registry.js";
import { round, roundings } from "../../src/format/round.js";
import { explain } from "../../src/lens/explain.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderExplanation } from "../../src/report/explanation.js";
import { plainTerminal } from "../../src/report/terminal.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";

function words(weight: number, update: number, options: Partial<UpdateOptions> = {}, columns = 80): string {
  const settings = updateSettings({ format: "bf16", ...options });
  return renderExplanation(explain(weight, update, settings), { ...plainTerminal, columns });
}

/** The text as one line, since sentences are wrapped. */
const flat = (text: string) => text.replace(/\s+/g, " ");

describe("renderExplanation", () => {
  test("a lost update", () => {
    const text = flat(words(0.02, 1e-6));
    expect(text).toContain("weight 0.02001953125 what 0.02 is stored as code 0x3ca4 in bf16");
    expect(text).toContain(
      "neighbours 0.0198974609375 gap 0.00012207 below 0.0201416015625 gap 0.00012207 above",
    );
    // 1e-6 / 2^-14 = 1.64 %, and half of that of the whole gap.
    expect(text).toContain("update 1e-6 1.6% of half the gap, 6.10352e-5");
    expect(text).toContain(
      "w + u falls 0.8% of the way from 0.02001953125 to 0.0201416015625, and the nearer one is",
    );
    expect(text).toContain("61.0352 times as much.");
    // 2^-13 / 1e-6 = 122.07; of fp32's sum rather, whose ulp is 2^-29: 537 * 2^-29.
    expect(text).toContain(`one step in ${Number((2 ** -13 / (537 * 2 ** -29)).toPrecision(6))}`);
    expect(text).toContain("two terms (Collage) first shows at step 64");
  });

  test("a moved one", () => {
    const text = flat(words(1, 0.005));
    expect(text).toContain(
      "The stored weight moves. w + u falls 64.0% of the way from 1 to 1.0078125, and the nearer",
    );
    expect(text).toContain("in place first shows at step 1 ");
  });

  test("a tie, to even and away", () => {
    const even =
      "Nothing happens: the update is lost. w + u falls exactly half way between 1 and 1.0078125; nearest-even gives 1.";
    expect(flat(words(1, 2 ** -8))).toContain(even);
    const away =
      "The stored weight moves. w + u falls exactly half way between 1 and 1.0078125; nearest-away gives 1.0078125.";
    expect(flat(words(1, 2 ** -8, { rounding: "nearest-away" }))).toContain(away);
  });

  test("below a power of two the gap is narrower", () => {
    const text = flat(words(1, -1e-3));
    expect(text).toContain("update -0.001 51.2% of half the gap, 0.00195313");
    expect(text).toContain("(at a power of two the gap below is half of that above)");
    expect(flat(words(1.5, -1e-3))).not.toContain("power of two");
  });

  test("an update that fp32 swallows", () => {
    const text = flat(words(1, 1e-9));
    expect(text).toContain("Nothing happens: the update is lost. In fp32 already w + u is w.");
    expect(text).toMatch(/fp32 master never: the carrier itself stops growing at step 1;?/);
    expect(flat(words(1, 1e-9, { opmath: "exact" }))).toContain(
      "w + u falls <0.1% of the way from 1 to 1.0078125",
    );
  });

  test("zero, and what is zero in fp32", () => {
    for (const [update, note] of [
      [0, "update 0 sum"],
      [1e-50, "update 1e-50 0 in fp32 sum"],
    ] as const) {
      const text = words(1, update);
      expect(flat(text)).toContain(note);
      expect(flat(text)).toContain("The update is zero: a real zero. The same update at every step:");
      expect(flat(text)).toContain("in place never: there is nothing to show");
    }
    expect(flat(words(0, 0))).toContain("weight 0 code 0x0000 in bf16");
    expect(flat(words(-0, 0))).toContain("weight -0 code 0x8000 in bf16");
  });

  test("subnormals", () => {
    const text = flat(words(1e-40, 1e-42));
    expect(text).toContain("weight 9.183549615799121e-41 what 1e-40 is stored as code 0x0001 in bf16");
    expect(text).toContain("neighbours 0 gap 9.18355e-41 below 1.8367099231598242e-40 gap 9.18355e-41 above");
    expect(text).toContain("fp32 master first shows at step 46");
  });

  test("overflow, and saturation", () => {
    const over = words(65504, 32, { format: "fp16" });
    expect(flat(over)).toContain(
      "65472 gap 32 below out of range update 32 sum 65536 overflows (nearest-even)",
    );
    expect(flat(over)).toContain(
      "The sum leaves the finite numbers. The same update at every step: in place leaves the finite numbers at step 1",
    );
    const saturated = flat(words(65504, 32, { format: "fp16", overflow: "saturate" }));
    expect(saturated).toContain("w + u lies beyond the finite numbers of fp16 and gives 65504.");
  });

  test("no line ends in blanks, none is wider than 80 columns", () => {
    const wordsOf = fc
      .record({
        format: fc.constantFrom(...formats.keys(), "e8m23", "e5m3"),
        rounding: fc.constantFrom(...roundings),
        opmath: fc.constantFrom("fp32" as const, "exact" as const),
        // As a share of the largest number, down to subnormals.
        exponent: fc.double({ min: 0, max: 1, noNaN: true }),
        significand: fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }),
        // Not much less than a gap, so that the search for a first visible step is short.
        gaps: fc.double({ min: 2 ** -9, max: 8, noNaN: true }),
        signs: fc.tuple(fc.constantFrom(1, -1), fc.constantFrom(1, -1)),
      })
      .map(({ format: name, exponent, significand, gaps, signs, ...settings }) => {
        const of = format(name);
        const span = Math.log2(of.maxFinite / of.minPositive) - 1;
        const weight = signs[0] * significand * of.minPositive * 2 ** Math.floor(exponent * span);
        const stored = round(weight, of);
        return words(weight, signs[1] * gaps * ulp(stored, of), { format: name, ...settings });
      });
    fc.assert(
      fc.property(wordsOf, (text) => {
        for (const line of text.split("\n")) {
          expect(visibleWidth(line), line).toBeLessThanOrEqual(80);
          expect(line).not.toMatch(/ $/);
        }
        expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
      }),
    );
  });
});

describe("the number line", () => {
  /** Columns of its marks: ends and middle, halves, and the star of w + u. */
  function line(text: string) {
    const drawn = text.split("\n").find((candidate) => /^ *\|[-:*|]+[|*]$/.test(candidate))!;
    return {
      length: drawn.length,
      star: drawn.indexOf("*"),
      halves: [...drawn.matchAll(/:/g)].map(({ index }) => index),
    };
  }

  test("has its halves in the middle of the gaps, and w + u in its place", () => {
    // 6 columns, then two gaps of 32 from mark to mark.
    expect(line(words(1.5, 1e-3))).toEqual({ length: 71, star: 42, halves: [22, 54] });
    expect(line(words(1.5, 2 ** -9))).toEqual({ length: 71, star: 46, halves: [22, 54] });
    // Half a gap: the star lies on the half.
    expect(line(words(1.5, 2 ** -8))).toEqual({ length: 71, star: 54, halves: [22] });
    expect(line(words(1.5, -(2 ** -8)))).toEqual({ length: 71, star: 22, halves: [54] });
    expect(line(words(1.5, 2 ** -7))).toEqual({ length: 71, star: 70, halves: [22, 54] });
  });

  test("draws a sum that is nearly the weight beside its mark", () => {
    expect(line(words(0.02, 1e-6)).star).toBe(39);
    expect(line(words(0.02, -1e-6)).star).toBe(37);
    expect(line(words(1, 1e-9)).star).toBe(38);
  });

  test("fits narrow terminals, or is left out", () => {
    for (let columns = 1; columns < 80; columns++) {
      const drawn = words(1.5, 1e-3, {}, columns)
        .split("\n")
        .filter((text) => text.includes("|--"));
      for (const text of drawn) expect(text.length).toBeLessThanOrEqual(columns);
    }
    expect(words(1.5, 1e-3, {}, 10)).not.toContain("*");
  });

  test("is left out where the sum is beyond the neighbours", () => {
    expect(words(1, 1)).not.toContain("|--");
    expect(words(65504, 32, { format: "fp16" })).not.toContain("|--");
  });
});
