import { describe, expect, it } from "vitest";
import type { TensorScale } from "../../src/format/block/scale-rule.js";
import { type BlockOptions, type BlockSettings, schemeSettings } from "../../src/update/block-settings.js";
import { numbersToQuantize, startBlock, startNumbers, stepBlock } from "../../src/update/block-step.js";

/**
 * By hand: the numbers of e2m1fn by code are 0, .5, 1, 1.5, 2, 3, 4, 6, then the same with a sign. The scale of
 * mxfp4 is the power of two of the largest magnitude over 4.
 */
const settingsOf = (options: Partial<BlockOptions> = {}) =>
  schemeSettings({ format: "mxfp4", ...options }) as BlockSettings;
const tensor = (stored: number): TensorScale => ({ stored, reciprocal: 1 / stored });

describe("a block before its first update", () => {
  const given = [4, 2.6, 1.25, -0.1];

  it("is quantized by nearest-even whatever the rounding of the run", () => {
    for (const rounding of ["nearest-even", "toward-zero", "stochastic"] as const) {
      expect(startBlock(given, settingsOf({ rounding }), tensor(1))).toEqual({
        codes: [6, 5, 2, 8],
        scale: 1,
        weights: [4, 3, 1, -0],
        carriers: [0, 0, 0, 0],
        tensorScale: tensor(1),
      });
    }
  });

  it("has a master of the numbers as given, though they are sent through a narrower format", () => {
    const settings = settingsOf({ scheme: "master", through: "bf16" });
    // The gap of bf16 is 2^-7 here: a quarter of it goes, three quarters make it whole.
    const numbers = [4, 1.25 + 2 ** -9, 1 + 3 * 2 ** -9, 1 + 2 ** -30];
    expect(startNumbers(numbers, settings)).toEqual([4, 1.25, 1 + 2 ** -7, 1]);
    const { codes, carriers } = startBlock(numbers, settings, tensor(1));
    // 1.25 is a tie of e2m1fn, and goes to the even code; 1.25 + 2^-9 would not.
    expect(codes).toEqual([6, 2, 2, 2]);
    expect(startBlock(numbers, settingsOf({ scheme: "master" }), tensor(1)).codes).toEqual([6, 3, 2, 2]);
    expect(carriers).toEqual([4, 1.25 + 2 ** -9, 1 + 3 * 2 ** -9, 1]);
  });

  it("is relative to the tensor scale", () => {
    const { codes, scale, weights } = startBlock([12, 3], settingsOf({ format: "nvfp4" }), tensor(4));
    expect({ codes, scale, weights }).toEqual({ codes: [7, 3], scale: 0.5, weights: [12, 3] });
  });
});

describe("a step of a block", () => {
  // Scale 1, codes 6, 2, 3, 0, 8.
  const given = [4, 1, 1.5, 0.25, -0.25];
  // To 8, 1.5, 1.7, .25, 0: the scale doubles.
  const updates = [4, 0.5, 0.2, 0, 0.25].map(Math.fround);

  it("renews the scale, and tells by the old one whether a code moved: +0 and -0 are one", () => {
    const settings = settingsOf({ scheme: "master" });
    const before = startBlock(given, settings, tensor(1));
    const { after, quantized, codeMoves } = stepBlock(before, updates, settings, tensor(1));
    const master = [8, 1.5, Math.fround(1.5 + Math.fround(0.2)), 0.25, 0];
    expect(quantized).toEqual(master);
    expect(numbersToQuantize(before, updates, settings)).toEqual(master);
    // Over 2: 4, .75 (a tie, to the even code), .85, .125, 0.
    expect(after).toEqual({
      codes: [6, 2, 2, 0, 0],
      scale: 2,
      weights: [8, 2, 2, 0, 0],
      carriers: master,
      tensorScale: tensor(1),
    });
    // Over 1: 8 is clipped to 6, 1.5 is a code of its own; 1.7 stays 1.5: its number changed by the scale alone.
    expect(codeMoves).toEqual([true, true, false, false, false]);
  });

  it("in-place starts from the stored numbers, and carries nothing", () => {
    const before = startBlock(given, settingsOf(), tensor(1));
    const { after, quantized, codeMoves } = stepBlock(before, updates, settingsOf(), tensor(1));
    expect(quantized.map((x) => Number(x.toFixed(6)))).toEqual([8, 1.5, 1.7, 0, 0.25]);
    expect(after.carriers).toEqual([0, 0, 0, 0, 0]);
    expect(after.codes).toEqual([6, 2, 2, 0, 0]);
    expect(codeMoves).toEqual([true, true, false, false, false]);
  });

  it("keeps the scales of the start, if asked to: codes that do not fit are clipped", () => {
    const settings = settingsOf({ scheme: "master", scales: "kept" });
    const before = startBlock(given, settings, tensor(1));
    const { after, codeMoves } = stepBlock(before, updates, settings, tensor(64));
    expect(after).toMatchObject({ codes: [7, 3, 3, 0, 0], scale: 1, weights: [6, 1.5, 1.5, 0, 0] });
    expect(after.tensorScale).toEqual(tensor(1));
    expect(codeMoves).toEqual([true, true, false, false, false]);
  });

  it("knows scales apart by the tensor scale too", () => {
    const settings = settingsOf({ format: "nvfp4" });
    const before = startBlock([6, 1.5], settings, tensor(1));
    expect(before).toMatchObject({ codes: [7, 3], scale: 1 });
    const { after, codeMoves } = stepBlock(before, [6, 0.2], settings, tensor(2));
    // 12 and 1.7 over 2; over 1, 12 is clipped to the code it had.
    expect(after).toMatchObject({ codes: [7, 2], scale: 1, weights: [12, 2], tensorScale: tensor(2) });
    expect(codeMoves).toEqual([false, false]);
  });

  it("sends a master through a narrower format, and keeps what that cuts off", () => {
    const settings = settingsOf({ scheme: "master", through: "bf16" });
    const before = startBlock([4, 1.25], settings, tensor(1));
    const { after, quantized, codeMoves } = stepBlock(before, [0, 2 ** -9], settings, tensor(1));
    expect(quantized).toEqual([4, 1.25]);
    expect(numbersToQuantize(before, [0, 2 ** -9], settings)).toEqual([4, 1.25]);
    expect(after).toMatchObject({ codes: [6, 2], carriers: [4, 1.25 + 2 ** -9] });
    expect(codeMoves).toEqual([false, false]);
  });

  it("eco returns a share 1 - beta of the error at the next step", () => {
    const settings = settingsOf({ scheme: "eco", momentum: 0.5 });
    const before = startBlock([4, 2], settings, tensor(1));
    // 2.25 is stored as 2; then 2 + .25 + .125 too, and .125 + .375 is left; then 2 + .25 + .25 is a tie.
    const carried = [0.25, 0.5, 0.75];
    let state = before;
    for (const carrier of carried) {
      state = stepBlock(state, [0, 0.25], settings, tensor(1)).after;
      expect(state).toMatchObject({ weights: [4, 2], carriers: [0, carrier] });
    }
    // 2 + .25 + .375 is nearer to 3.
    const { after, quantized } = stepBlock(state, [0, 0.25], settings, tensor(1));
    expect(quantized).toEqual([4, 2.625]);
    expect(after).toMatchObject({ weights: [4, 3], carriers: [0, 0] });
  });

  it("rounds elements stochastically by their own bits, under the new scales and the old", () => {
    const ones = 2 ** 32 - 1;
    const randomBits = (i: number) => (i === 2 ? ones : 0);
    const start = [4, 2, 2, 3];
    for (const scales of ["renewed", "kept"] as const) {
      const settings = settingsOf({ rounding: "stochastic", scales });
      const before = startBlock(start, settings, tensor(1));
      // 2.5 goes down to 2 for bits of zero, up to 3 for bits of one.
      const { after, codeMoves } = stepBlock(before, [0, 0.5, 0.5, 0], settings, tensor(1), { randomBits });
      expect(after.codes).toEqual([6, 4, 5, 5]);
      expect(codeMoves).toEqual([false, false, true, false]);
    }
    const settings = settingsOf({ rounding: "stochastic" });
    const before = startBlock(start, settings, tensor(1));
    const { after, codeMoves } = stepBlock(before, [4, 0.5, 0.5, 0], settings, tensor(1), { randomBits });
    // Over 2: 4, 1.25 down to 1, 1.25 up to 1.5, 1.5.
    expect(after).toMatchObject({ codes: [6, 2, 3, 3], scale: 2 });
    expect(codeMoves).toEqual([true, false, true, false]);
    expect(() => stepBlock(before, [0, 0, 0, 0], settings, tensor(1))).toThrow("needs randomBits");
  });
});
