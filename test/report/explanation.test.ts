import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ulp } from "../../src/format/neighbours.js";
import { format, formats } from "../../src/format/registry.js";
import { round, roundings } from "../../src/format/round.js";
import { explain } from "../../src/lens/explain/explain.js";
import { visibleWidth } from "../../src/report/columns.js";
import { renderExplanation } from "../../src/report/explanation.js";
import { plainTerminal } from "../../src/report/terminal.js";
import type { UpdateOptions } from "../../src/update/settings.js";

function words(weight: number, update: number, options: Partial<UpdateOptions> = {}, columns = 80): string {
  const explanation = explain(weight, update, { format: "bf16", ...options });
  return renderExplanation(explanation, { ...plainTerminal, columns });
}

/** The text as one line, since sentences are wrapped. */
const flat = (text: string) => text.replace(/\s+/g, " ");

describe("renderExplanation", () => {
  test("a lost update", () => {
    const text = flat(words(0.02, 1e-6));
    expect(text).toContain(
      "weight 0.02001953125 as stored; 0.02 is not a number of bf16 code 0x3ca4 in bf16",
    );
    expect(text).toContain(
      "neighbours 0.0198974609375 gap 0.0001220703125 below 0.0201416015625 gap 0.0001220703125 above",
    );
    // 1e-6 / 2^-13 = 0.82 %
    expect(text).toContain("update 9.999999974752427078783512115478515625e-7 1e-6 in fp32; 0.8% of the gap");
    expect(text).toContain(
      "sum 0.02002053149044513702392578125 in fp32; rounds to 0.02001953125 (nearest-even)",
    );
    expect(text).toContain(
      "Nothing happens: the update is lost. w + u falls 0.8% of the way from 0.02001953125 to 0.0201416015625; " +
        "nearest-even gives 0.02001953125. Under nearest-even w stays until w + u passes 0.02008056640625, half way " +
        "to 0.0201416015625, which itself stays: |u| would have to be more than 61.0352 times as large.",
    );
    expect(text).toContain("two terms (Collage) first shows at step 64");
  });

  test("a moved one", () => {
    const text = flat(words(1, 0.005));
    expect(text).toContain(
      "The stored weight moves to 1.0078125. w + u falls 64.0% of the way from 1 to 1.0078125; nearest-even gives",
    );
    expect(text).toContain("in-place first shows at step 1 ");
  });

  test("a tie, to even and away", () => {
    const even =
      "Nothing happens: the update is lost. w + u falls exactly half way between 1 and 1.0078125; nearest-even gives 1.";
    expect(flat(words(1, 2 ** -8))).toContain(even);
    const away =
      "The stored weight moves to 1.0078125. w + u falls exactly half way between 1 and 1.0078125; nearest-away gives 1.0078125.";
    expect(flat(words(1, 2 ** -8, { rounding: "nearest-away" }))).toContain(away);
  });

  test("below a power of two the gap is narrower", () => {
    const text = flat(words(1, -1e-3));
    expect(text).toContain("25.6% of the gap");
    expect(text).toContain("1.95312 times as large (at a power of two the gap below is half of the other).");
    expect(flat(words(-1, 1e-3))).toContain("(at a power of two the gap above is half of the other).");
    for (const other of [words(1, 1e-3), words(1.5, -1e-3)])
      expect(flat(other)).not.toContain("power of two");
  });

  test("an update that fp32 swallows", () => {
    const text = flat(words(1, 1e-9));
    expect(text).toContain("Nothing happens: the update is lost. In fp32 already w + u is w.");
    expect(text).toContain("fp32 master never: the fp32 master stops changing at step 1 ");
    const exactly = flat(words(1, 2 ** -40, { opmath: "exact" }));
    expect(exactly).toContain(
      "sum 1.0000000000009094947017729282379150390625 exactly; rounds to 1 (nearest-even)",
    );
    expect(exactly).toContain("w + u falls <0.1% of the way from 1 to 1.0078125");
  });

  test("stochastic rounding: a probability, a mean, and nothing of other roundings", () => {
    const text = flat(words(0.02, 1e-6, { rounding: "stochastic" }));
    expect(text).toContain("rounds to 0.02001953125 or 0.0201416015625 (stochastic)");
    // 537 / 2^16; the mean is that of fp32's sum, 537 2^-29.
    expect(text).toContain(
      "The stored weight moves with probability 0.819397%. w + u falls 0.8% of the way from 0.02001953125 to " +
        "0.0201416015625; stochastic rounding gives 0.02001953125 with probability 99.1806%, 0.0201416015625 with " +
        "probability 0.819397%. On average the stored weight moves by 1.00024e-6, 100.0% of u.",
    );
    expect(text).toContain(`in-place shows after ${Number((2 ** 16 / 537).toPrecision(6))} steps on average`);
    const more = flat(words(0.02, 9e-5, { rounding: "stochastic" }));
    expect(more).toContain("The stored weight moves with probability 73.7274%.");
    expect(more).toContain("in-place shows after 1.35635 steps on average");
  });

  test("stochastic rounding: what no draw moves", () => {
    const swallowed = flat(words(1, 1e-9, { rounding: "stochastic", format: "e2m1fn" }));
    expect(swallowed).toContain("The stored weight cannot move. In fp32 already w + u is w.");
    expect(swallowed).toContain("in-place never: no draw moves it");
    const tooClose = flat(words(1, 2 ** -40, { rounding: "stochastic", format: "e2m1fn", opmath: "exact" }));
    expect(tooClose).toContain("That is less than 2^-32 of a gap, the least that 32 random bits can tell.");
  });

  test("what a carrier holds", () => {
    const kahan = flat(words(0.02, 1e-6, { scheme: "kahan" }));
    expect(kahan).toContain("The stored weight stays; the compensation holds what it cannot show.");
    expect(kahan).toContain("Weight and compensation together move by 9.98378e-7, 99.8% of u.");
    expect(kahan).toContain(
      "stored 0.02001953125 after one step 9.9837779998779296875e-7 in the compensation",
    );
    const master = flat(words(0.02, 1e-6, { scheme: "master" }));
    expect(master).toContain("w stays until the master passes 0.02008056640625");
    expect(master).toContain("The master moves by 1.00024e-6, 100.0% of u.");
    expect(master).toContain("master 0.0199999995529651641845703125 the weight as given, in fp32 update");
    expect(master).toContain("0.02000099979341030120849609375 in the fp32 master");
    expect(master).toContain(
      "m + u falls 15.2% of the way from 0.02001953125 to 0.0198974609375; nearest-even gives 0.02001953125.",
    );
    // 0.02008056640625 - 0.02, over 1e-6.
    expect(master).toContain("which itself stays: |u| would have to be more than 80.5669 times as large.");
    expect(master).toContain(
      "nearest-even (a master starts from 0.02, others from 0.02001953125): in-place never",
    );
    expect(master).toContain("fp32 master first shows at step 81 (fp32 master 0.020081)");
    expect(flat(words(1, 1e-9, { scheme: "master" }))).toContain("In fp32 already m + u is m.");
    expect(flat(words(1, 1e-3, { scheme: "master" }))).toMatch(
      /master 1 the weight as given update .* nearest-even: in-place never/,
    );
    const drawn = flat(words(1, 2 ** -9, { scheme: "kahan", rounding: "stochastic" }));
    expect(drawn).toContain("stored 1 with probability 75% 0.001953125 in the compensation");
    expect(drawn).toContain("stored 1.0078125 with probability 25% -0.005859375 in the compensation");
  });

  test("a master that is another number than the stored weight", () => {
    const of = (weight: number, update: number, rounding: UpdateOptions["rounding"]) =>
      flat(words(weight, update, { scheme: "master", rounding: rounding! }));
    // 0.02 is stored as more.
    expect(of(0.02, 1e-6, "toward-positive")).toContain(
      "Under toward-positive w stays until the master passes 0.02001953125: |u| would have to be more than 19.5317 times",
    );
    expect(of(0.02, 1e-6, "toward-zero")).toContain(
      "The stored weight moves to 0.0198974609375. m + u falls 15.2% of the way from 0.02001953125 to " +
        "0.0198974609375; toward-zero gives 0.0198974609375. Under toward-zero the master is stored as another number " +
        "even without the update.",
    );
    expect(of(0.02, 0, "toward-zero")).toContain(
      "The update is zero: a real zero. The master is stored by toward-zero as 0.0198974609375.",
    );
    expect(of(0.02, 0, "toward-zero")).toContain("fp32 master first shows at step 1 ");
    expect(of(0.02, 0, "toward-positive")).toMatch(
      /a real zero\. The same .* fp32 master never: there is nothing/,
    );
    // 3.4e38 is finite in fp32 and Inf in bf16.
    expect(of(3.4e38, -1e37, "nearest-even")).toContain("The weight is Inf, and becomes 3.29649e+38.");
    expect(of(3.4e38, 0, "nearest-even")).toContain("The weight is Inf, and stays so.");
  });

  test("zero, and what is zero in fp32", () => {
    for (const [update, note, verdict] of [
      [0, "update 0 sum", "The update is zero: a real zero."],
      [1e-50, "update 0 1e-50 in fp32 sum", "The update is zero in fp32: a real zero."],
    ] as const) {
      const text = flat(words(1, update));
      expect(text).toContain(note);
      expect(text).toContain(
        `${verdict} The same update at every step, nearest-even: in-place never: there is`,
      );
    }
    expect(flat(words(0, 0))).toContain("weight 0 code 0x0000 in bf16");
    expect(flat(words(-0, 0))).toContain("weight -0 code 0x8000 in bf16");
  });

  test("subnormals, every digit of them", () => {
    const text = words(1e-40, 1e-42);
    expect(text.replace(/\n +/g, "")).toContain(
      "9.18354961579912115600575419704879435795832466228193376178712270530013483949005603790283203125e-41",
    );
    expect(flat(text)).toContain("from 9.18355e-41 to 1.83671e-40; nearest-even gives 9.18355e-41.");
    expect(flat(text)).toContain("fp32 master first shows at step 38");
  });

  test("overflow to Inf and to NaN, and back", () => {
    const over = flat(words(65504, 32, { format: "fp16" }));
    expect(over).toContain("65472 gap 32 below Inf above the largest finite number update 32");
    expect(over).toContain("sum 65536 in fp32; rounds to Inf (nearest-even)");
    expect(over).toContain(
      "The stored weight becomes Inf. w + u lies beyond 65504, the last finite number of fp16; nearest-even gives " +
        "Inf. Under nearest-even w stays until w + u passes 65520, half a gap beyond, which itself does not.",
    );
    expect(over).toContain("in-place leaves the finite numbers at step 1");
    const below = flat(words(-448, -32, { format: "e4m3fn" }));
    expect(below).toContain("neighbours NaN below the lowest finite number");
    expect(below).toContain("The stored weight becomes NaN.");
    expect(below).toContain("nearest-even gives NaN (e4m3fn has no Inf)");
    expect(below).toContain("passes -464, half a gap beyond, which itself stays");
    const back = flat(words(65504, 32, { format: "fp16", rounding: "toward-zero" }));
    expect(back).toContain(
      "toward-zero gives 65504. All that lies beyond 65504 is brought back to it by toward-zero.",
    );
  });

  test("saturation, asked for and for want of Inf and NaN", () => {
    const asked = flat(words(65504, 32, { format: "fp16", overflow: "saturate" }));
    expect(asked).toContain("Inf above the largest finite number, at which sums saturate");
    expect(asked).toContain("w + u lies beyond 65504, the last finite number of fp16, and saturates.");
    expect(asked).toContain("All that lies beyond 65504 saturates there.");
    expect(asked).toContain("fp32 master never: what lies beyond is stored as the last number");
    const always = flat(words(6, 3, { format: "e2m1fn" }));
    expect(always).toContain("none above the largest finite number, at which sums saturate");
    expect(flat(words(1e6, 1, { format: "fp16", overflow: "saturate" }))).toContain(
      "65504 as stored; 1000000 is not a number of fp16",
    );
  });

  test("NaN and infinities", () => {
    expect(flat(words(Number.NaN, 1, { format: "e2m1fn" }))).toContain("no code in e2m1fn");
    expect(flat(words(-Infinity, 1))).toContain("The weight is -Inf, and stays so.");
    expect(flat(words(1, Infinity))).toContain("The update is Inf: the stored weight becomes Inf.");
    expect(flat(words(1, Infinity, { overflow: "saturate" }))).toContain(
      "The update is Inf: the stored weight saturates at 3.38953e+38.",
    );
    expect(flat(words(1, Number.NaN))).toContain("The update is NaN: the stored weight becomes NaN.");
  });

  test("no line ends in blanks, none is wider than 80 columns", () => {
    const wordsOf = fc
      .record({
        format: fc.constantFrom(...formats.keys(), "e8m23", "e5m3"),
        rounding: fc.constantFrom(...roundings),
        scheme: fc.constantFrom("in-place" as const, "master" as const, "kahan" as const),
        opmath: fc.constantFrom("fp32" as const, "exact" as const),
        // As a share of the largest number, down to subnormals.
        exponent: fc.double({ min: 0, max: 1, noNaN: true }),
        significand: fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }),
        // Not much less than a gap, so that the search for a first visible step is short.
        gaps: fc.double({ min: 2 ** -5, max: 8, noNaN: true }),
        signs: fc.tuple(fc.constantFrom(1, -1), fc.constantFrom(1, -1)),
      })
      .map(({ format: name, exponent, significand, gaps, signs, ...settings }) => {
        const resolved = format(name);
        const span = Math.log2(resolved.maxFinite / resolved.minPositive) - 1;
        const weight = signs[0] * significand * resolved.minPositive * 2 ** Math.floor(exponent * span);
        const stored = round(weight, resolved);
        return words(weight, signs[1] * gaps * ulp(stored, resolved), { format: name, ...settings });
      });
    fc.assert(
      fc.property(wordsOf, (text) => {
        for (const line of text.split("\n")) {
          expect(visibleWidth(line), line).toBeLessThanOrEqual(80);
          expect(line).not.toMatch(/ $/);
        }
        expect(text).toMatch(/^ *[*|].*[|*]$/m);
        expect(text).not.toMatch(/undefined|null|Infinity/);
      }),
    );
  });
});

describe("the number line", () => {
  /** Columns of its marks: halves, and the star of w + u. */
  function line(text: string) {
    const drawn = lineIn(text);
    return {
      length: drawn.length,
      star: drawn.indexOf("*"),
      halves: [...drawn.matchAll(/:/g)].map(({ index }) => index),
    };
  }

  const lineIn = (text: string) =>
    text.split("\n").find((candidate) => /^ *[*|][-~=:*| ]+[|*]$/.test(candidate))!;

  test("has its halves in the middle of the gaps, and w + u in its place", () => {
    // 6 columns, then two gaps of 32 from mark to mark.
    expect(line(words(1.5, 1e-3))).toEqual({ length: 71, star: 42, halves: [22, 54] });
    expect(line(words(1.5, 2 ** -9))).toEqual({ length: 71, star: 46, halves: [22, 54] });
    // Half a gap: the star lies on the half.
    expect(line(words(1.5, 2 ** -8))).toEqual({ length: 71, star: 54, halves: [22] });
    expect(line(words(1.5, -(2 ** -8)))).toEqual({ length: 71, star: 22, halves: [54] });
    expect(line(words(1.5, 2 ** -7))).toEqual({ length: 71, star: 70, halves: [22, 54] });
  });

  test("draws a sum that is nearly a number, or nearly half way, beside its mark", () => {
    expect(line(words(0.02, 1e-6)).star).toBe(39);
    expect(line(words(0.02, -1e-6)).star).toBe(37);
    expect(line(words(1.5, 2 ** -7 - 2 ** -20)).star).toBe(69);
    expect(line(words(1.5, 2 ** -8 + 2 ** -20))).toMatchObject({ star: 55, halves: [22, 54] });
    expect(line(words(1, 1e-9)).star).toBe(38);
    expect(line(words(1, 2 ** -60, { opmath: "exact" })).star).toBe(39);
  });

  test("is double where sums round to the weight, by the rounding that was asked for", () => {
    const [none, all] = [`|${"-".repeat(31)}`, `|${"=".repeat(31)}`];
    const drawn = (rounding: UpdateOptions["rounding"], weight = 1.5) =>
      lineIn(words(weight, 2 ** -7, { rounding: rounding! }))
        .trim()
        .replace("*", "|");
    expect(drawn("toward-positive")).toBe(`${all}${none}|`);
    expect(drawn("toward-negative")).toBe(`${none}${all}|`);
    expect(drawn("toward-zero")).toBe(`${none}${all}|`);
    expect(drawn("toward-zero", -1.5)).toMatch(/^\|=+\|/);
    // 1.5 is even, 1.5078125 odd.
    expect(drawn("to-odd")).toBe(`${none}${none}|`);
    expect(drawn("to-odd", 1.5078125)).toBe(`${all}${all}|`);
    expect(drawn("stochastic")).toBe(`${all}${all}|`.replaceAll("=", "~"));
    expect(drawn("nearest-even")).toBe(
      `|${"-".repeat(15)}:${"=".repeat(15)}|${"=".repeat(15)}:${"-".repeat(15)}|`,
    );
  });

  test("goes on to the sum, however far it is, and to Inf and NaN", () => {
    const far = words(1, 1);
    expect(lineIn(far)).toMatch(/^ {6}\|-+:=+\|=+:-+\| - - \*$/);
    expect(far).toMatch(/ 2\n/);
    expect(words(1.5, 0.01)).toMatch(/ 1\.50781 +1\.51563\n/);
    const inf = words(65504, 32, { format: "fp16" });
    expect(inf).toMatch(/^ +65472 +65504 +Inf$/m);
    expect(lineIn(inf)).toMatch(/^ {6}\|-+:=+\|=+:-+\*$/);
    expect(words(448, 100, { format: "e4m3fn" })).toMatch(/^ +416 +448 +NaN$/m);
    // Beyond the end: the star stands outside.
    expect(lineIn(words(448, 100, { format: "e4m3fn" }))).toMatch(/\|\*$/);
    expect(lineIn(words(-448, -100, { format: "e4m3fn" }))).toMatch(/^ {5}\*\|/);
    expect(lineIn(words(6, 9, { format: "e2m1fn" }))).toMatch(/^ {6}\|-+:=+\|=+\|\*$/);
  });

  test("is drawn without a sum that is NaN, and from Inf", () => {
    const nan = words(Number.NaN, 1);
    expect(lineIn(nan)).toBe("      | - - | - - |");
    expect(nan).toContain("w + u is NaN, which has no place on the line.");
    expect(lineIn(words(Infinity, 1, { format: "fp16" }))).toMatch(/^ {6}\|-+\*$/);
  });

  test("fits narrow terminals, or is left out", () => {
    for (let columns = 1; columns < 80; columns++) {
      for (const update of [1e-3, 3]) {
        const drawn = words(1.5, update, {}, columns)
          .split("\n")
          .filter((text) => /\|[-=]/.test(text));
        for (const text of drawn) expect(text.length).toBeLessThanOrEqual(columns);
        expect(drawn.length).toBe(columns < 30 ? drawn.length : 1);
      }
    }
    expect(words(1.5, 1e-3, {}, 10)).not.toContain("*");
  });
});
