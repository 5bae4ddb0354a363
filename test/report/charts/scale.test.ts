import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelled, linearScale, logScale, spread } from "../../../src/report/charts/scale.js";

const finite = (options: { min: number; max: number }) => fc.double({ ...options, noNaN: true });

describe("linearScale", () => {
  test("has round ticks around the numbers", () => {
    expect(linearScale(0, 0.979, 0, 100).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearScale(0, 0.23, 0, 100, 4).ticks).toEqual([0, 0.1, 0.2, 0.3]);
    expect(linearScale(0, 0, 0, 100).ticks).toEqual([0, 0.2]);
  });

  test("holds every number, its ends at the ends", () => {
    fc.assert(
      fc.property(finite({ min: -1e6, max: 1e6 }), finite({ min: 1e-3, max: 1e6 }), (least, span) => {
        const { place, ticks } = linearScale(least, least + span, 0, 100);
        expect(ticks[0]).toBeLessThanOrEqual(least + span * 1e-6);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(least + span - span * 1e-6);
        expect([place(ticks[0]), place(ticks.at(-1)!)]).toEqual([0, 100]);
        expect(ticks.length).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe("logScale", () => {
  test("begins at 1, 2 or 5 times a power of ten, and has powers of ten above", () => {
    expect(logScale(0.006, 0.996, 0, 100).ticks).toEqual([0.005, 0.01, 0.1, 1]);
    expect(logScale(0.01, 1, 0, 100).ticks).toEqual([0.01, 0.1, 1]);
  });

  test("holds every number; what is smaller lies on the axis", () => {
    fc.assert(
      fc.property(finite({ min: -9, max: 0 }), finite({ min: 0, max: 5 }), (from, decades) => {
        const [least, most] = [10 ** from, 10 ** (from + decades)];
        const { place, ticks } = logScale(least, most, 0, 100);
        expect(ticks[0]).toBeLessThanOrEqual(least * (1 + 1e-6));
        for (const x of [least, most, ...ticks]) {
          expect(place(x)).toBeGreaterThanOrEqual(0);
          expect(place(x)).toBeLessThanOrEqual(100 + 1e-6);
        }
        expect([place(0), place(ticks[0] / 2), place(-1)]).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe("spread", () => {
  test("leaves apart what is apart, in its order", () => {
    expect(spread([90, 10, 50], 20, 0, 100)).toEqual([90, 10, 50]);
    expect(spread([50, 50, 50], 20, 0, 100)).toEqual([50, 70, 90]);
    expect(spread([95, 96], 20, 0, 100)).toEqual([80, 100]);
  });

  test("keeps the distance wherever there is room", () => {
    const places = fc.array(finite({ min: 0, max: 100 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(places, (drawn) => {
        const moved = [...spread(drawn, 10, 0, 100)].sort((a, b) => a - b);
        for (const [i, place] of moved.entries()) {
          expect(place).toBeGreaterThanOrEqual(-1e-9);
          expect(place).toBeLessThanOrEqual(100 + 1e-9);
          if (i > 0) expect(place - moved[i - 1]).toBeGreaterThanOrEqual(10 - 1e-9);
        }
      }),
    );
  });
});

test("labels of steps are round and few", () => {
  expect(labelled(3, 8)).toEqual([0, 1, 2]);
  expect(labelled(12, 8)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(labelled(300, 8)).toEqual([0, 50, 100, 150, 200, 250]);
  expect(labelled(100_000, 8).length).toBeLessThanOrEqual(10);
});
