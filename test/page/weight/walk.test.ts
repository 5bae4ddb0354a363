import { describe, expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { explain } from "../../../src/lens/explain/explain.js";
import { rangeOf, upTo, walk } from "../../../src/page/weight/walk.js";
import { applyUpdate } from "../../../src/update/apply.js";
import type { WeightState } from "../../../src/update/scheme.js";

const bf16 = format("bf16");

describe("a walk of 1e-6 from 0.02", () => {
  const tracks = walk({ weight: 0.02, update: 1e-6, format: bf16, rounding: "nearest-even", seed: 1 }, 1000);
  const track = (name: string) => tracks.find((each) => each.name === name)!;

  test("never leaves in place", () => {
    expect(track("in-place").counts).toMatchObject({ lost: 1000, moved: 0 });
    expect(track("in-place").firstMoved).toBeNull();
  });

  test("of a master shows once that is past the middle, from the weight as given", () => {
    // Half the gap is 2^-14, from the stored weight.
    expect(track("master").firstMoved).toBe(Math.ceil((0.02001953125 + 2 ** -14 - 0.02) / 1e-6));
    expect(track("master").counts).toMatchObject({ lost: 0, kept: 992, moved: 8 });
    // As the command says.
    const { schemes } = explain(0.02, 1e-6, { format: "bf16" });
    for (const [name, scheme] of [
      ["in-place", 0],
      ["master", 1],
      ["kahan", 2],
    ] as const) {
      expect(track(name).firstMoved).toBe(schemes[scheme]!.firstVisibleStep);
    }
  });

  test("goes the whole way in fp32, and about that under stochastic rounding", () => {
    const start = track("fp32").path[0];
    expect(start).toBe(Math.fround(0.02));
    expect(track("fp32").state.weight - start).toBeCloseTo(1e-3, 5);
    expect(track("stochastic").state.weight - start).toBeGreaterThan(2e-4);
    expect(track("stochastic").state.weight - start).toBeLessThan(3e-3);
  });

  test("has a point for the start and each step", () => {
    for (const { path } of tracks) expect(path).toHaveLength(1001);
  });

  test("up to a step is what it was when it had taken no more", () => {
    const settings = { weight: 0.02, update: 1e-6, format: bf16, rounding: "nearest-even", seed: 1 } as const;
    for (const steps of [0, 80, 81, 82, 1000]) {
      const carrierAside = walk(settings, steps).map(({ state, ...track }) => ({
        ...track,
        weight: state.weight,
      }));
      const cut = tracks
        .map((given) => upTo(given, steps))
        .map(({ state, ...step }) => ({ ...step, weight: state.weight }));
      expect(cut).toEqual(carrierAside);
    }
  });

  test("takes the steps that applyUpdate takes", () => {
    const options = { format: "bf16", scheme: "kahan" } as const;
    let state: number | WeightState = 0.02;
    const path = tracks
      .find(({ name }) => name === "kahan")!
      .path.slice(1)
      .map(() => {
        state = applyUpdate(state, 1e-6, options);
        return state.weight;
      });
    expect(track("kahan").path.slice(1)).toEqual(path);
  });

  test("lies within its range, what is not finite aside", () => {
    expect(rangeOf(tracks)).toEqual([Math.fround(0.02), Math.max(...tracks.flatMap(({ path }) => path))]);
    const beyond = walk({ weight: 3e38, update: 1e38, format: bf16, rounding: "nearest-even", seed: 1 }, 5);
    expect(rangeOf(beyond).every(Number.isFinite)).toBe(true);
  });

  test("is the same again", () => {
    const again = walk({ weight: 0.02, update: 1e-6, format: bf16, rounding: "nearest-even", seed: 1 }, 1000);
    expect(again).toEqual(tracks);
  });
});
