import { describe, expect, it } from "vitest";
import { format } from "../../src/format/registry.js";
import { applyUpdate, startState } from "../../src/update/apply.js";
import { schemeNames, type WeightState } from "../../src/update/scheme.js";
import { updateSettings } from "../../src/update/settings.js";
import { bfloat16Schemes, toBfloat16 } from "../support/bfloat16.js";
import { gaussianRun } from "../support/values.js";

describe.each(schemeNames)("scheme %s", (scheme) => {
  it("gives the bits of integer arithmetic on bf16, step after step", () => {
    const { weights, updates } = gaussianRun(1, 2000, 30, 3e-5);
    let differing = 0;
    for (let i = 0; i < weights.length; i++) {
      let state: WeightState = startState(weights[i], updateSettings({ format: "bf16", scheme }));
      let [weight, carrier] = [toBfloat16(weights[i]), scheme === "master" ? weights[i] : 0];
      for (const update of updates) {
        state = applyUpdate(state, update[i], { format: "bf16", scheme });
        [weight, carrier] = bfloat16Schemes[scheme](weight, carrier, update[i]);
        if (state.weight !== weight || state.carrier !== carrier) differing += 1;
      }
    }
    expect(differing).toBe(0);
  });
});

describe("in-place", () => {
  it("in fp32 is what fp32 addition does", () => {
    const { weights, updates } = gaussianRun(2, 1000, 1);
    for (const [i, weight] of weights.entries()) {
      const after = applyUpdate(weight, updates[0][i], { format: "fp32" });
      expect(after.weight).toBe(Math.fround(weight + updates[0][i]));
    }
  });
});

describe("carriers", () => {
  it("a thousand times 1e-3 onto 1: nearest-even stays, each carrier arrives at 2", () => {
    const ends = Object.fromEntries(
      schemeNames.map((scheme) => {
        let state: number | WeightState = 1;
        for (let step = 0; step < 1000; step++) state = applyUpdate(state, 1e-3, { format: "bf16", scheme });
        return [scheme, (state as WeightState).weight];
      }),
    );
    expect(ends["in-place"]).toBe(1);
    expect(ends.master).toBe(2);
    expect(Math.abs(ends.kahan - 2)).toBeLessThan(0.02);
    expect(Math.abs(ends["two-term"] - 2)).toBeLessThan(0.02);
  });

  it("a thousand times 1e-3 onto 1, stochastic: about 2", () => {
    let weight = 1;
    let state = 123456789;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state;
    };
    for (let step = 0; step < 1000; step++) {
      weight = applyUpdate(weight, 1e-3, { format: "bf16", rounding: "stochastic", random }).weight;
    }
    // Each step adds 2^-7 with probability .128 below 2: a standard deviation of about 0.083.
    expect(Math.abs(weight - 2)).toBeLessThan(0.35);
  });

  it("the master starts from the weight as given, the others from the stored one", () => {
    const given = 1 + 2 ** -10;
    const start = (scheme: (typeof schemeNames)[number]) =>
      startState(given, updateSettings({ format: "bf16", scheme }));
    expect(start("master")).toEqual({ weight: 1, carrier: given });
    for (const scheme of ["in-place", "kahan", "two-term"] as const) {
      expect(start(scheme)).toEqual({ weight: 1, carrier: 0 });
    }
  });

  it("a start is cast by nearest-even whatever the rounding of the run", () => {
    const settings = updateSettings({ format: "bf16", rounding: "toward-positive" });
    expect(startState(1 + 2 ** -10, settings).weight).toBe(1);
  });
});

describe("applyUpdate", () => {
  it("takes formats by value, and refuses unknown names and missing random bits", () => {
    expect(applyUpdate(1, 0.01, { format: format("bf16") }).weight).toBe(1.0078125);
    expect(() => applyUpdate(1, 1, { format: "bf17" })).toThrow(/unknown format "bf17"/);
    expect(() => applyUpdate(1, 1, { format: "bf16", scheme: "magic" as "master" })).toThrow(
      'unknown scheme "magic": expected in-place, master, kahan, two-term',
    );
    expect(() => applyUpdate(1, 1, { format: "bf16", rounding: "up" as "to-odd" })).toThrow(RangeError);
    expect(() => applyUpdate(1, 1, { format: "bf16", seed: -1 })).toThrow(RangeError);
    expect(() => applyUpdate(1, 1, { format: "bf16", rounding: "stochastic" })).toThrow(TypeError);
  });
});
