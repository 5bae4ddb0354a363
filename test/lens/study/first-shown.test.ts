import { describe, expect, it } from "vitest";
import { FirstShownFormula } from "../../../src/lens/study/first-shown.js";
import { gaussian } from "../../../src/update/distribution.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import type { SimulatedRun } from "../../../src/update/simulated-adamw.js";
import { steadyStateUpdates } from "../../../src/update/steady-state.js";

const lr = 1e-6;
/** Betas whose moments settle soon, so that tables are made soon. */
const betas = [0.5, 0.6] as const;

function formulaOf(changes: Partial<SimulatedRun> = {}, source?: "steady-state") {
  const run: SimulatedRun = {
    optimizer: { lr, betas, eps: 1e-8, weightDecay: 0 },
    schedule: "constant",
    warmup: 0,
    steps: 10,
    noise: gaussian,
    snr: 0,
    seed: 0,
    ...changes,
  };
  return new FirstShownFormula(run, source);
}

const settings = (options: Partial<UpdateOptions> = {}) => updateSettings({ format: "bf16", ...options });
const [master, kahan, twoTerm] = (["master", "kahan", "two-term"] as const).map((scheme) =>
  settings({ scheme }),
);
// A table takes a second: one for all tests.
const formula = formulaOf();
const snr = 1;
const drifting = formulaOf({ snr });
const settled = formulaOf({}, "steady-state");

describe("with a carrier", () => {
  it("is the median time at which a walk leaves half a gap and what one momentum covers", () => {
    // Feller's series of the time at which a Brownian motion leaves (-1, 1), cut after the term that matters last.
    const outlasts = (t: number) =>
      [0, 1, 2, 3].reduce((sum, k) => {
        const odd = 2 * k + 1;
        return sum + ((4 / Math.PI) * (-1) ** k * Math.exp((-(odd ** 2) * Math.PI ** 2 * t) / 8)) / odd;
      }, 0);
    let [low, high] = [0, 2];
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (outlasts(middle) > 0.5) low = middle;
      else high = middle;
    }
    for (const half of [4e-6, 3e-5, 1e-3]) {
      const edge = half / lr + 1 / Math.sqrt(1 - 0.25);
      expect(formula.medianStep(2 * half, master)! / (low * edge ** 2)).toBeCloseTo(1, 2);
    }
  });

  it("by hand: a weight of .02 at a learning rate of 1e-6", () => {
    // Half a gap of 2^-14 is 30.52 updates, momentum .5 covers 1.155 of them: .757 * 31.672^2.
    expect(formula.medianStep(2 ** -14, master)).toBeCloseTo(759.4, 1);
  });

  it("is a walk without inertia, and at least one step, where momentum lasts as long", () => {
    // .757 * 1.5^2 steps, shorter than momentum.
    expect(formula.medianStep(3e-6, master)).toBeCloseTo(0.757 * 1.5 ** 2, 12);
    expect(formula.medianStep(1e-7, master)).toBe(1);
  });

  it("comes sooner by a drift: drift and walk together cover the way", () => {
    const drift = (lr * snr) / Math.sqrt(1 + snr ** 2);
    const variance = lr ** 2 / (1 + snr ** 2);
    for (const half of [3e-5, 1e-3]) {
      const t = drifting.medianStep(2 * half, master)!;
      const edge = half + lr / Math.sqrt(1 - 0.25);
      expect(((drift * t) ** 2 + variance * t) / edge ** 2).toBeCloseTo(1, 9);
      expect(t).toBeLessThan(formula.medianStep(2 * half, master)!);
    }
    expect(drifting.medianStep(1e-8, master)).toBe(1);
  });

  it("is the same for every carrier, and none for other roundings", () => {
    const [expected, ...others] = [master, kahan, twoTerm].map((caseSettings) =>
      formula.medianStep(1e-4, caseSettings),
    );
    expect(others).toEqual([expected, expected]);
    for (const rounding of ["toward-zero", "stochastic", "to-odd"] as const)
      expect(formula.medianStep(1e-4, settings({ scheme: "master", rounding }))).toBeNull();
  });
});

describe("in place", () => {
  const updates = steadyStateUpdates(lr, betas, gaussian);
  const half = (chance: number) => Math.log(0.5) / Math.log(1 - chance);

  it("is by what half have had one update of half a gap", () => {
    const found = [0.6, 0.7, 0.9].map((share) => {
      const gap = 2 * share * lr;
      const chance = updates.filter((u) => Math.abs(u) >= gap / 2).length / updates.length;
      expect(chance).toBeLessThan(0.5);
      expect(settled.medianStep(gap, settings())).toBeCloseTo(half(chance), 9);
      // Adam's first update is lr.
      expect(formula.medianStep(gap, settings())).toBe(1);
      return half(chance);
    });
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });

  it("counts updates of exactly half a gap, but not the first, which leaves a tie", () => {
    // An update of the table, whose neighbours differ from it.
    for (const share of [0.6, 0.75]) {
      const update = updates.find((u) => u >= share * lr)!;
      const [chance, more] = [
        updates.filter((u) => Math.abs(u) >= update).length / updates.length,
        updates.filter((u) => Math.abs(u) > update).length / updates.length,
      ];
      expect(chance).toBeGreaterThan(more);
      expect(settled.medianStep(2 * update, settings())).toBeCloseTo(half(chance), 9);
    }
    const reached = updates.filter((u) => Math.abs(u) >= lr).length / updates.length;
    expect(formula.medianStep(2 * lr, settings())).toBeCloseTo(half(reached), 9);
    expect(half(reached)).toBeGreaterThan(1);
  });

  it("is never where no update is so large, and the first step where most are", () => {
    expect(formula.medianStep(1, settings())).toBeNull();
    expect(formula.medianStep(1e-9, settings())).toBe(1);
  });

  it("with a drift counts the updates that it makes larger", () => {
    // Noise and drift have 1 / sqrt(2) of the update each.
    const gap = 2.4 * lr;
    const chance = updates.filter((u) => Math.abs(u + lr) >= Math.SQRT2 * (gap / 2)).length / updates.length;
    expect(chance).toBeGreaterThan(0.1);
    expect(chance).toBeLessThan(0.5);
    // The table of the formula is scaled before it is rounded: an entry may fall on the other side.
    expect(drifting.medianStep(gap, settings())! / half(chance)).toBeCloseTo(1, 3);
  });

  it("under stochastic rounding shows with the share of a gap that an update is", () => {
    const stochastic = settings({ rounding: "stochastic" });
    for (const gap of [2e-6, 1e-5, 1e-3]) {
      const chance = updates.reduce((sum, u) => sum + Math.min(1, Math.abs(u) / gap), 0) / updates.length;
      expect(formula.medianStep(gap, stochastic)! / half(chance)).toBeCloseTo(1, 9);
    }
    expect(formula.medianStep(1e-9, stochastic)).toBe(1);
  });

  it("has none for other roundings", () => {
    for (const rounding of ["toward-zero", "nearest-away", "to-odd"] as const)
      expect(formula.medianStep(1e-5, settings({ rounding }))).toBeNull();
  });
});

describe("draws that do not know of each other", () => {
  const table = steadyStateUpdates(lr, betas, gaussian);

  it.each([0.2, 1, 3, 10, 30])("leave half a gap of %d lr when a walk does, with a carrier", (times) => {
    // Walks by another generator, each until it leaves.
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const exits = Array.from({ length: 2001 }, () => {
      let [sum, t] = [0, 0];
      for (; Math.abs(sum) < times * lr; t++) sum += table[Math.floor(random() * table.length)];
      return t;
    });
    const median = exits.toSorted((a, b) => a - b)[1000];
    const expected = settled.medianStep(2 * times * lr, master)!;
    expect(expected).toBeGreaterThanOrEqual(1);
    expect(Math.abs(expected - median)).toBeLessThan(Math.max(1, 0.1 * median));
  });

  it("take one update where that is sooner than a walk", () => {
    const variance = table.reduce((sum, u) => sum + u * u, 0) / table.length;
    const update = table.find((u) => u >= 0.9 * Math.sqrt(variance))!;
    const chance = table.filter((u) => Math.abs(u) >= update).length / table.length;
    const atOnce = Math.log(0.5) / Math.log(1 - chance);
    expect(settled.medianStep(2 * update, master)).toBeCloseTo(atOnce, 9);
    expect(atOnce).toBeLessThan((0.757 * (update + 0.583 * Math.sqrt(variance)) ** 2) / variance);
    expect(atOnce).toBeGreaterThan(1);
  });

  it("walk less far than Adam's, which are alike from step to step", () => {
    // Momentum .5: by sqrt((1 - .5) / (1 + .5)), once it is long gone.
    const ratio = settled.medianStep(1e-2, master)! / formula.medianStep(1e-2, master)!;
    expect(Math.sqrt(1 / ratio)).toBeCloseTo(Math.sqrt(0.5 / 1.5), 1);
  });
});

it("draws nothing before it needs settled updates, which are in place and under stochastic rounding", () => {
  let draws = 0;
  const noise = {
    name: "counting",
    get knots() {
      draws += 1;
      return gaussian.knots;
    },
  };
  const lazy = formulaOf({ noise });
  for (const settings of [master, kahan, twoTerm]) lazy.medianStep(1e-4, settings);
  expect(draws).toBe(0);
  expect(lazy.medianStep(1e-5, settings())).toBe(formula.medianStep(1e-5, settings()));
  expect(draws).toBeGreaterThan(0);
});

it("has none in place where momentum is too long for settled updates", () => {
  const long = formulaOf({ optimizer: { lr, betas: [0.9999, 0.9999], eps: 1e-8, weightDecay: 0 } });
  expect(long.medianStep(1e-5, settings())).toBeNull();
  expect(long.medianStep(1e-5, settings({ rounding: "stochastic" }))).toBeNull();
  expect(long.medianStep(1e-5, master)).toBeGreaterThan(1);
});

it("has none for a schedule", () => {
  const cosine = formulaOf({ schedule: "cosine" });
  for (const caseSettings of [master, settings()]) expect(cosine.medianStep(1e-5, caseSettings)).toBeNull();
});
