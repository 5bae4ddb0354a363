/** The block of the page, beside MXFP4 written again from its publication: a grid of eight magnitudes, and a power of two. */
import { describe, expect, test } from "vitest";
import {
  blockWeights,
  changedOthers,
  largestAt,
  leastThatMovesScale,
  sharedStep,
} from "../../../src/page/block/shared-step.js";
import { shownFormats } from "../../../src/page/block/state.js";
import { blockFinding, scaleText, tensorScaleNote } from "../../../src/page/block/words.js";

const stored = { format: "mxfp4", scheme: "master" } as const;
/** Magnitudes of e2m1 by code. */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** OCP MX 1.0, 6.3: the exponent of the largest magnitude, less that of the largest element, which is 2. */
const scaleOf = (weights: readonly number[]) =>
  2 ** (Math.floor(Math.log2(Math.max(...weights.map(Math.abs)))) - 2);

/** The nearest magnitude; of two, that of the even code. */
function nearest(x: number, scale: number): number {
  const scaled = Math.abs(x) / scale;
  const distance = (code: number) => Math.abs(magnitudes[code] - scaled);
  const best = [...magnitudes.keys()].reduce((a, b) =>
    distance(b) < distance(a) || (distance(b) === distance(a) && b % 2 === 0) ? b : a,
  );
  return Math.sign(x) * magnitudes[best] * scale + 0;
}

describe("an update of the largest weight of a block", () => {
  test.each([0, 0.0019, 0.0021, 0.003, 0.05, -0.05, -0.2])("%d: numbers and classes of MXFP4", (u) => {
    const weights = blockWeights.map(Math.fround);
    const sums = weights.map((w, i) => (i === largestAt ? Math.fround(w + Math.fround(u)) : w));
    const [before, after] = [scaleOf(weights), scaleOf(sums)];
    const step = sharedStep(stored, u);
    expect(step.scales).toEqual({ before, after });
    // +0 and -0 are one number.
    const found = step.weights.map(({ before, after, becomes }) => ({
      before: before + 0,
      after: after + 0,
      becomes,
    }));
    expect(found).toEqual(
      weights.map((w, i) => {
        const numbers = { before: nearest(w, before), after: nearest(sums[i], after) };
        const changed = numbers.before !== numbers.after;
        const byItself = nearest(sums[i], before) !== numbers.before;
        const unmoved = i === largestAt && u !== 0 ? "kept" : "none";
        return { ...numbers, becomes: changed ? (byItself ? "moved" : "collateral") : unmoved };
      }),
    );
  });

  test("of one percent doubles the scale: 21 of 31 others change", () => {
    const step = sharedStep(stored, 0.003);
    expect(changedOthers(step)).toBe(21);
    expect(step.grid).toEqual(
      [
        ...magnitudes
          .slice(1)
          .map((x) => -x)
          .reverse(),
        ...magnitudes,
      ].map((x) => x / 16),
    );
    expect(blockFinding(step)).toEqual({
      scale: "The update of one weight doubles the scale of its block, from 2^-5 to 2^-4.",
      others: "21 of the 31 other weights change, though their updates are zero.",
    });
    expect(blockFinding(sharedStep(stored, 0.001)).others).toBe("No stored number changes.");
    expect(blockFinding(sharedStep(stored, 0)).scale).toContain("update is zero");
  });

  test("in formats of eight bits changes no other, in NVFP4 nearly all", () => {
    const over = (format: string) => sharedStep({ format, scheme: "master" }, 0.03);
    expect(changedOthers(over("mxfp8-e4m3"))).toBe(0);
    const nvfp4 = over("nvfp4");
    expect(nvfp4.weights).toHaveLength(16);
    expect(nvfp4.scales.after).toBeGreaterThan(nvfp4.scales.before);
    expect(changedOthers(nvfp4)).toBeGreaterThan(10);
  });

  test.each(
    shownFormats.flatMap((format) => (["master", "in-place"] as const).map((scheme) => ({ format, scheme }))),
  )("$format, $scheme: the least that moves the scale does, and what is less does not", (options) => {
    const least = leastThatMovesScale(options);
    const { scales } = sharedStep(options, least);
    expect(scales.after).toBeGreaterThan(scales.before);
    const less = sharedStep(options, least * (1 - 1e-4)).scales;
    expect(less.after).toBe(less.before);
  });

  test("the least of MXFP4 is what is missing to the next power of two", () => {
    expect(leastThatMovesScale(stored)).toBeCloseTo(0.002, 7);
  });
});

test("a scale is a power of two, or a number", () => {
  expect(scaleText(2 ** -12)).toBe("2^-12");
  expect(scaleText(0.375)).toBe("0.375");
});

test("the tensor scale of NVFP4 is said to be given, and what it clips", () => {
  const noteOf = (format: string, u: number) => tensorScaleNote(sharedStep({ format, scheme: "master" }, u));
  expect(noteOf("nvfp4", 0.03)).toMatch(/largest weight is 0\.5, in another block\.$/);
  expect(noteOf("nvfp4", 1)).toMatch(/w \+ u = 1\.248 exceeds it and is clipped to 0\.5\.$/);
  expect(noteOf("nvfp4", -1)).toMatch(/w \+ u = -0\.752 exceeds it and is clipped to -0\.5\.$/);
  expect(noteOf("mxfp4", 1)).toBeNull();
});
