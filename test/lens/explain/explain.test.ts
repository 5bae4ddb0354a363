import { describe, expect, it } from "vitest";
import { explain as fromLibrary, lens } from "../../../src/index.js";
import { explain, explainStep } from "../../../src/lens/explain/explain.js";
import { searchLimit } from "../../../src/lens/explain/outlook.js";
import { applyUpdate } from "../../../src/update/apply.js";
import { schemeNames } from "../../../src/update/scheme.js";
import type { UpdateOptions } from "../../../src/update/settings.js";

function explained(weight: number, update: number, options: Partial<UpdateOptions> = {}) {
  const explanation = explain(weight, update, { format: "bf16", ...options });
  const firstVisible = Object.fromEntries(
    explanation.schemes.map(({ scheme, firstVisibleStep, never }) => [scheme, firstVisibleStep ?? never]),
  );
  return { ...explanation, firstVisible };
}

/** Without the repeated update. */
const alone = (weight: number, update: number, options: Partial<UpdateOptions> = {}) =>
  explainStep(weight, update, { format: "bf16", ...options });

describe("explain", () => {
  it("0.02 and 1e-6: lost in place, first shown by an fp32 master at step 81", () => {
    const { weight, update, sum, stays, step, firstVisible } = explained(0.02, 1e-6);
    expect(weight).toEqual({
      given: 0.02,
      stored: 0.02001953125,
      code: 0x3ca4,
      below: 0.0198974609375,
      above: 0.0201416015625,
      gapBelow: 2 ** -13,
      gapAbove: 2 ** -13,
      master: null,
    });
    expect(update).toMatchObject({ gap: 2 ** -13, shareOfGap: Math.fround(1e-6) * 2 ** 13 });
    expect(sum.roundsTo).toEqual([{ value: 0.02001953125, probability: 1 }]);
    expect(stays).toEqual({
      low: 0.02001953125 - 2 ** -14,
      high: 0.02001953125 + 2 ** -14,
      lowIncluded: true,
      highIncluded: true,
    });
    expect(step.chances).toEqual({ none: 0, lost: 1, kept: 0, moved: 0, nonfinite: 0 });
    expect(firstVisible).toMatchObject({ "in-place": "stuck", master: 81 });
  });

  it.each([
    [3e-6, 27],
    [1e-5, 9],
  ])("0.02 and %f: an fp32 master first shows it at step %i", (update, step) => {
    expect(explained(0.02, update).firstVisible.master).toBe(step);
  });

  it("a norm gain of 1: half as long down as up, in place never", () => {
    const down = explained(1, -1e-6);
    const up = explained(1, 1e-6);
    expect(up.update.gap).toBe(2 * (down.update.gap ?? 0));
    // Half the gap over |u| is 1953.1 and 3906.3; below 1 fp32 turns 1e-6 into 17 of its gaps, 1.0133e-6, above
    // into 8, 0.9537e-6. A tie is still the even number, 1.
    expect(down.firstVisible.master).toBe(Math.floor(2 ** -9 / (17 * 2 ** -24)) + 1);
    expect(up.firstVisible.master).toBe(2 ** -8 / (8 * 2 ** -23) + 1);
    expect(up.firstVisible["in-place"]).toBe("stuck");
    expect(up.firstVisible.kahan).toBe("stuck");
  });

  it("tells what a carrier holds, after one step and when it first shows", () => {
    // 2^-10 is a quarter of the half gap above 1, which is a tie at the fourth step and passed at the fifth.
    const { step, schemes } = explained(1, 2 ** -10, { scheme: "kahan" });
    expect(step.outcomes).toEqual([{ weight: 1, carrier: 2 ** -10, becomes: "kept", probability: 1 }]);
    expect(step).toMatchObject({ displacement: 0, retained: 2 ** -10 });
    // Of a master, what it holds itself.
    expect(explained(1, 2 ** -10, { scheme: "master" }).step).toMatchObject({
      ...{ displacement: 0, retained: 2 ** -10 },
      outcomes: [{ weight: 1, carrier: 1 + 2 ** -10, becomes: "kept" }],
    });
    expect(schemes[2]).toMatchObject({
      firstVisibleStep: 5,
      weight: 1 + 2 ** -7,
      carrier: 5 * 2 ** -10 - 2 ** -7,
    });
    expect(schemes[1]).toMatchObject({ firstVisibleStep: 5, weight: 1 + 2 ** -7, carrier: 1 + 5 * 2 ** -10 });
  });

  it("starts from the stored weight, a master from the weight as given", () => {
    // 1 + 2^-9 is stored as 1, and half the gap is 2^-8: two updates from there to the tie, four from 1.
    const { firstVisible } = explained(1 + 2 ** -9, 2 ** -10);
    expect(firstVisible).toMatchObject({ master: 3, kahan: 5, "two-term": 5 });
    const { weight, sum, step } = explained(1 + 2 ** -9, 2 ** -10, { scheme: "master" });
    expect(weight).toMatchObject({ given: 1 + 2 ** -9, stored: 1, master: 1 + 2 ** -9 });
    expect(sum).toMatchObject({ value: 1 + 3 * 2 ** -10, position: 3 / 8 });
    expect(step).toMatchObject({ displacement: 0, retained: 2 ** -10 });
  });

  it("a master's first step may move the weight by its rounding alone, also to a finite number from Inf", () => {
    // A weight is first stored by nearest-even, a master by the rounding of the run.
    const upward = explained(1 + 2 ** -9, 0, { scheme: "master", rounding: "toward-positive" });
    expect(upward.step).toMatchObject({ chances: { none: 1 }, displacement: 2 ** -7, retained: 0 });
    expect(upward.firstVisible).toMatchObject({ "in-place": "stuck", master: 1, kahan: "stuck" });
    // 3.4e38 is finite in fp32 and Inf in bf16.
    const back = explained(3.4e38, -1e37, { scheme: "master" });
    expect(back.weight).toMatchObject({ stored: "Infinity", master: Math.fround(3.4e38) });
    expect(back.step.chances.nonfinite).toBe(1);
    expect(back.firstVisible.master).toBe("nonfinite");
    // And finite when saturated, of a master that is Inf.
    const saturated = explained(1e39, -1, { scheme: "master", overflow: "saturate" });
    expect(saturated.step).toMatchObject({ chances: { nonfinite: 1 }, retained: null });
    expect(saturated.firstVisible.master).toBe("nonfinite");
  });

  it.each(["nearest-even", "toward-positive", "toward-zero", "to-odd"] as const)(
    "takes the steps of applyUpdate from the weight as given, %s",
    (rounding) => {
      for (const scheme of schemeNames) {
        for (const given of [0.02, 0.0201, -0.7, 1 + 2 ** -9, 3, 1e-40]) {
          for (const share of [0.013, -0.11, 0.6]) {
            const update = given * 2 ** -8 * share;
            const options = { format: "bf16", rounding, scheme } as const;
            const { step, weight, schemes } = explain(given, update, options);
            let state = applyUpdate(given, update, options);
            expect(step.outcomes).toMatchObject([{ weight: state.weight }]);
            let taken = 1;
            for (; taken < 200 && state.weight === weight.stored; taken++) {
              state = applyUpdate(state, update, options);
            }
            const shown = state.weight === weight.stored ? null : taken;
            const found = schemes.find((one) => one.scheme === scheme)!.firstVisibleStep;
            expect(found === null || found > 200 ? null : found, `${scheme} ${given} ${update}`).toBe(shown);
          }
        }
      }
    },
  );

  it("finds the steps that a run takes", async () => {
    const [given, update] = [0.02, Math.fround(1e-6)];
    const { schemes } = explain(given, update, { format: "bf16" });
    for (const { scheme, firstVisibleStep } of schemes) {
      const steps = firstVisibleStep ?? 100;
      const { totals, steps: counted } = await lens(
        { format: "fp32", data: Float32Array.of(given) },
        Array.from({ length: steps }, () => Float32Array.of(update)),
        { format: "bf16", scheme },
      );
      expect(totals.moved, scheme).toBe(firstVisibleStep === null ? 0 : 1);
      expect(counted.findIndex(({ moved }) => moved > 0) + 1, scheme).toBe(firstVisibleStep ?? 0);
    }
  });

  it("tells sums that fp64 cannot hold, by two numbers", () => {
    const { sum } = explained(1, 2 ** -60, { opmath: "exact", rounding: "toward-positive" });
    expect(sum).toEqual({
      value: 1,
      tail: 2 ** -60,
      below: 1,
      above: 1 + 2 ** -7,
      position: 2 ** -53,
      tie: false,
      roundsTo: [{ value: 1 + 2 ** -7, probability: 1 }],
    });
  });

  it("a sum that is a tie but for less than fp64 can tell is none", () => {
    const nearly = (tail: number) =>
      explained(2 ** -7, 1 + 2 ** -8 + tail, { opmath: "exact", format: "bf16" }).sum;
    expect(nearly(0)).toMatchObject({ position: 0.5, tie: true });
    // 1 + 2^-8 is an fp32 number, and a weight of 2^-70 is what makes the difference.
    const { sum } = explained(2 ** -70, 1 + 2 ** -8, { opmath: "exact" });
    expect(sum).toMatchObject({
      position: 0.5,
      tie: false,
      roundsTo: [{ value: 1 + 2 ** -7, probability: 1 }],
    });
  });

  it("takes NaN, infinities and -0, and tells them by name", () => {
    const none = { below: null, above: null, gapBelow: null, gapAbove: null };
    expect(explained(Number.NaN, 1).weight).toEqual({
      given: "NaN",
      stored: "NaN",
      code: 0x7fc0,
      ...none,
      master: null,
    });
    expect(explained(Number.NaN, 1, { format: "e2m1fn" }).weight).toMatchObject({
      stored: "NaN",
      code: null,
    });
    const fp16 = explained(-Infinity, 1, { format: "fp16" });
    expect(fp16.weight).toMatchObject({ stored: "-Infinity", code: 0xfc00, below: null, above: -65504 });
    expect(fp16.step.chances.nonfinite).toBe(1);
    expect(explained(1e6, 1, { format: "fp16" }).weight.stored).toBe("Infinity");
    expect(explained(1e6, 1, { format: "fp16", overflow: "saturate" }).weight.stored).toBe(65504);
    expect(explained(65504, 1, { format: "fp16" }).weight.above).toBe("Infinity");
    expect(explained(448, 1, { format: "e4m3fn" }).weight.above).toBe("NaN");
    expect(explained(6, 1, { format: "e2m1fn" }).weight.above).toBeNull();
    expect(explained(-0, 1).weight).toMatchObject({ given: "-0", stored: "-0", code: 0x8000 });
    expect(explained(1, 1e39).update).toEqual({ given: 1e39, fp32: "Infinity", gap: null, shareOfGap: null });
  });

  it("tells the gap on the side of the update, none of zero, and none beyond the last number", () => {
    const ofUpdate = (weight: number, update: number) => alone(weight, update, { format: "fp16" }).update;
    // fp16 has 2^-10 above 1 and half of it below.
    expect(ofUpdate(1, 2 ** -12)).toEqual({
      given: 2 ** -12,
      fp32: 2 ** -12,
      gap: 2 ** -10,
      shareOfGap: 1 / 4,
    });
    expect(ofUpdate(1, -(2 ** -12))).toMatchObject({ gap: 2 ** -11, shareOfGap: 1 / 2 });
    expect(ofUpdate(1, 0)).toEqual({ given: 0, fp32: 0, gap: null, shareOfGap: null });
    expect(ofUpdate(1, -0)).toEqual({ given: "-0", fp32: "-0", gap: null, shareOfGap: null });
    expect(ofUpdate(65504, 1)).toMatchObject({ gap: null, shareOfGap: null });
    expect(ofUpdate(65504, -1)).toMatchObject({ gap: 32, shareOfGap: 1 / 32 });
    expect(ofUpdate(-65504, -1)).toMatchObject({ gap: null, shareOfGap: null });
    // 1e-9 is none of fp32.
    expect(ofUpdate(1, 1e-9)).toMatchObject({ given: 1e-9, fp32: Math.fround(1e-9) });
  });

  it("tells neighbours and sums of infinite weights", () => {
    const infinite = alone(Number.POSITIVE_INFINITY, -1, { format: "fp16", opmath: "exact" });
    expect(infinite.weight).toMatchObject({ below: 65504, above: null, gapBelow: null, gapAbove: null });
    expect(infinite.sum).toEqual({
      ...{ value: "Infinity", tail: 0, below: null, above: null, position: null, tie: false },
      roundsTo: [{ value: "Infinity", probability: 1 }],
    });
    expect(infinite.stays).toBeNull();
    expect(infinite.step).toMatchObject({ displacement: null, retained: null });
  });

  it("adds in fp32 under a master whatever the opmath of others", () => {
    const sumOf = (scheme: "in-place" | "master") =>
      alone(1, 2 ** -30, { opmath: "exact", rounding: "toward-positive", scheme }).sum;
    expect(alone(1, 2 ** -30, { rounding: "toward-positive" }).sum).toMatchObject({ value: 1, tail: 0 });
    expect(sumOf("in-place")).toMatchObject({ value: 1 + 2 ** -30, roundsTo: [{ value: 1 + 2 ** -7 }] });
    expect(sumOf("master")).toEqual({
      ...{ value: 1, tail: 0, below: 1, above: 1, position: 0, tie: false },
      roundsTo: [{ value: 1, probability: 1 }],
    });
  });

  it("places a sum between its neighbours, beyond the last finite number without a position", () => {
    const place = (weight: number, update: number, format = "bf16") => {
      const { below, above, position, tie } = alone(weight, update, { format, opmath: "exact" }).sum;
      return [below, above, position, tie];
    };
    expect(place(1, 3 * 2 ** -9)).toEqual([1, 1 + 2 ** -7, 0.75, false]);
    expect(place(1, -(2 ** -9))).toEqual([1 - 2 ** -8, 1, 0.5, true]);
    expect(place(-1, -(2 ** -9))).toEqual([-1 - 2 ** -7, -1, 0.75, false]);
    expect(place(1, 2 ** -8)).toEqual([1, 1 + 2 ** -7, 0.5, true]);
    expect(place(1, 2 ** -7)).toEqual([1 + 2 ** -7, 1 + 2 ** -7, 0, false]);
    // Parts that fp64 does not hold beside 1: just above it, and just below.
    expect(place(1, 2 ** -60)).toEqual([1, 1 + 2 ** -7, 2 ** -53, false]);
    expect(place(1, -(2 ** -60))).toEqual([1 - 2 ** -8, 1, 1 - 2 ** -52, false]);
    expect(place(2 ** -60, 1 + 2 ** -8)).toEqual([1, 1 + 2 ** -7, 0.5 + 2 ** -53, false]);
    expect(place(65504, 1, "fp16")).toEqual([65504, "Infinity", null, false]);
    expect(place(-65504, -1, "fp16")).toEqual(["-Infinity", -65504, null, false]);
    expect(place(6, 1, "e2m1fn")).toEqual([6, null, null, false]);
  });

  it("lists outcomes by weight, then by carrier, ascending", () => {
    const drawn = { rounding: "stochastic" } as const;
    const of = (weight: number, update: number, options: Partial<UpdateOptions> = {}) =>
      alone(weight, update, { ...drawn, ...options }).step.outcomes.map((one) => [
        one.weight,
        one.carrier,
        one.becomes,
        one.probability,
      ]);
    expect(of(1, 2 ** -9)).toEqual([
      [1, null, "lost", 0.75],
      [1 + 2 ** -7, null, "moved", 0.25],
    ]);
    expect(of(-1, -(2 ** -9))).toEqual([
      [-1 - 2 ** -7, null, "moved", 0.25],
      [-1, null, "lost", 0.75],
    ]);
    const hard = [1, -1, 0.5].flatMap((weight) => [0.0137, -0.0137, 0.3].map((update) => [weight, update]));
    for (const scheme of ["kahan", "two-term"] as const) {
      for (const [weight, update] of hard) {
        const pairs = of(weight, update, { format: "e4m3fn", scheme }).map(([w, c]) => [
          Number(w),
          Number(c),
        ]);
        expect(pairs).toEqual(pairs.toSorted(([a, c], [b, d]) => a - b || c - d));
        expect(new Set(pairs.map(([w]) => w)).size).toBeLessThan(pairs.length);
      }
    }
  });

  it("is in the library, takes names of the field and refuses others", () => {
    expect(fromLibrary).toBe(explain);
    expect(explained(1, 1).schema).toBe("precision-lens-explanation/2");
    expect(explain(0.02, 1e-6, { format: "torch.bfloat16", rounding: "rne" })).toEqual(
      explain(0.02, 1e-6, { format: "bf16" }),
    );
    expect(() => explain(1, 1, { format: "bf61" })).toThrow("did you mean bf16?");
  });
});

describe("the search for the first visible step", () => {
  it("ends within a second or so", () => {
    expect(searchLimit).toBe(10_000_000);
    // Of 2^29 such steps from zero to half of the least positive number.
    const [, master] = explained(0, 2 ** -31, { format: "e2m1fn" }).schemes;
    expect(master).toMatchObject({
      firstVisibleStep: null,
      never: "not within the search",
      searched: searchLimit,
    });
  });

  it("a master that may draw another number first is not saturated", () => {
    const drawn = { format: "fp16", overflow: "saturate", rounding: "stochastic" } as const;
    expect(explained(65504, 1, drawn).firstVisible.master).toBe("saturated");
    // 65500 is stored as 65504 and may be drawn as 65472.
    const [, master] = explained(65500, 2 ** -10, drawn).schemes;
    expect(master!.never).not.toBe("saturated");
    const inward = { format: "fp16", rounding: "toward-zero" } as const;
    expect(explained(65500, 1, inward).firstVisible.master).toBe(1);
  });

  it("knows without one that a master beyond the last finite number never shows", () => {
    const saturate = { format: "fp16", overflow: "saturate" } as const;
    expect(explained(65504, 1, saturate).firstVisible.master).toBe("saturated");
    expect(explained(-65504, -1, saturate).firstVisible.master).toBe("saturated");
    expect(explained(65504, 1, { format: "fp16", rounding: "toward-zero" }).firstVisible.master).toBe(
      "saturated",
    );
    // Inward it does, at the tie, since 65504 is odd; and large updates take a master to infinity, which stays that.
    expect(explained(65504, -1, saturate).firstVisible.master).toBe(16);
    expect(explained(65504, 1e38, { format: "fp16", rounding: "toward-zero" }).schemes[1]).toMatchObject({
      never: "nonfinite",
      searched: 4,
    });
  });
});

it.each(["nearest-even", "stochastic"] as const)(
  "one step is told alike without its repetition: %s",
  (rounding) => {
    const { schema, schemes, ...step } = explain(0.02, 1e-4, { format: "bf16", rounding });
    expect(explainStep(0.02, 1e-4, { format: "bf16", rounding })).toEqual(step);
  },
);
