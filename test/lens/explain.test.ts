import { describe, expect, it } from "vitest";
import { explain } from "../../src/lens/explain.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";

function explained(weight: number, update: number, options: Partial<UpdateOptions> = {}) {
  const explanation = explain(weight, update, updateSettings({ format: "bf16", ...options }));
  const firstVisible = Object.fromEntries(
    explanation.schemes.map(({ scheme, firstVisibleStep, never }) => [scheme, firstVisibleStep ?? never]),
  );
  return { ...explanation, firstVisible };
}

describe("explain", () => {
  it("0.02 and 1e-6: lost in place, first shown by an fp32 master at step 62", () => {
    const { weight, update, sum, becomes, firstVisible, stochasticChance } = explained(0.02, 1e-6);
    expect(weight).toEqual({
      given: 0.02,
      stored: 0.02001953125,
      code: 0x3ca4,
      below: 0.0198974609375,
      above: 0.0201416015625,
      gapBelow: 2 ** -13,
      gapAbove: 2 ** -13,
    });
    expect(update.halfGap).toBe(2 ** -14);
    expect(sum.rounded).toBe(0.02001953125);
    expect(becomes).toBe("lost");
    expect(firstVisible).toMatchObject({ "in-place": "stuck", master: 62 });
    // The gap is 2^-13, and fp32 holds w + u to 2^-29: 537 of those.
    expect(stochasticChance).toBe(537 / 2 ** 16);
  });

  it.each([
    [3e-6, 21],
    [1e-5, 7],
  ])("0.02 and %f: an fp32 master first shows it at step %i", (update, step) => {
    expect(explained(0.02, update).firstVisible.master).toBe(step);
  });

  it("a norm gain of 1: half as long down as up, in place never", () => {
    const down = explained(1, -1e-6);
    const up = explained(1, 1e-6);
    expect(up.update.halfGap).toBe(2 * (down.update.halfGap ?? 0));
    // Half the gap over |u| is 1953.1 and 3906.3; below 1 fp32 turns 1e-6 into 17 of its gaps, 1.0133e-6, above
    // into 8, 0.9537e-6. A tie is still the even number, 1.
    expect(down.firstVisible.master).toBe(Math.floor(2 ** -9 / (17 * 2 ** -24)) + 1);
    expect(up.firstVisible.master).toBe(2 ** -8 / (8 * 2 ** -23) + 1);
    expect(up.firstVisible["in-place"]).toBe("stuck");
    expect(up.firstVisible.kahan).toBe("stuck");
  });

  it("tells ties, overflow and real zeros", () => {
    expect(explained(1, 2 ** -8)).toMatchObject({ becomes: "lost", sum: { tie: true, position: 0.5 } });
    expect(explained(1.0078125, 2 ** -8)).toMatchObject({
      becomes: "moved",
      sum: { tie: true, rounded: 1.015625 },
    });
    expect(explained(1, 0)).toMatchObject({
      becomes: "none",
      update: { halfGap: null },
      stochasticChance: 0,
    });
    const overflow = explained(65504, 100, { format: "fp16" });
    expect(overflow).toMatchObject({ becomes: "nonfinite", sum: { rounded: null, above: null } });
    expect(overflow.firstVisible["in-place"]).toBe("overflow");
    expect(explained(448, 16, { format: "e4m3fn" })).toMatchObject({
      becomes: "lost",
      weight: { above: null },
      sum: { below: 448, above: null, rounded: 448 },
    });
  });

  it("obeys rounding and opmath", () => {
    expect(explained(0.02, 1e-6, { rounding: "toward-positive" }).becomes).toBe("moved");
    expect(explained(1, -(2 ** -30), { rounding: "toward-zero" }).becomes).toBe("lost");
    expect(explained(1, -(2 ** -30), { rounding: "toward-zero", opmath: "exact" }).becomes).toBe("moved");
    expect(explained(0.02, 1e-6, { rounding: "stochastic" }).becomes).toBe("lost");
  });

  it("gives the chance of stochastic rounding to move the weight, either way and at its ends", () => {
    expect(explained(1, 2 ** -9).stochasticChance).toBe(0.25);
    expect(explained(1, -(2 ** -10)).stochasticChance).toBe(0.25);
    expect(explained(-1, 2 ** -10).stochasticChance).toBe(0.25);
    expect(explained(1, 1).stochasticChance).toBe(1);
    expect(explained(1, 2 ** -30).stochasticChance).toBe(0);
    expect(explained(1, 0.01).stochasticChance).toBe(1);
  });

  it("refuses what is not finite in the format", () => {
    expect(() => explained(Number.NaN, 1)).toThrow(RangeError);
    expect(() => explained(1e6, 1, { format: "fp16" })).toThrow("weight 1000000 is Infinity in fp16");
    expect(() => explained(1, 1e39)).toThrow(RangeError);
  });
});
