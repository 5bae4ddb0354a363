import { describe, expect, it } from "vitest";
import { studyFirstShown } from "../../src/engine/first-shown.js";
import type { TensorInput, Values } from "../../src/lens/input.js";
import { FirstShownFormula } from "../../src/lens/study/first-shown.js";
import { applyUpdate, startState } from "../../src/update/apply.js";
import { gaussian } from "../../src/update/distribution.js";
import { type UpdateSettings, updateSettings } from "../../src/update/settings.js";
import { randomBits, stepKey, tensorKey } from "../../src/update/threefry.js";
import { gaussianRun, tensorOf, valuesOf } from "../support/values.js";

const formula = new FirstShownFormula({
  optimizer: { lr: 1e-5, betas: [0.5, 0.6], eps: 1e-8, weightDecay: 0 },
  schedule: "constant",
  warmup: 0,
  steps: 12,
  noise: gaussian,
  snr: 0,
  seed: 0,
});

const cases = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "fp32" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "bf16", scheme: "kahan" }),
  updateSettings({ format: "fp16", scheme: "two-term" }),
  updateSettings({ format: "bf16", rounding: "stochastic", seed: 5 }),
];

interface Numbers {
  readonly name: string;
  readonly weights: ArrayLike<number>;
  readonly updates: readonly ArrayLike<number>[];
}

/** Exponents with the steps at which their weights first showed, by one number after the other. */
function bruteForce(tensors: readonly Numbers[], stepNumbers: readonly number[], settings: UpdateSettings) {
  const found = new Map<number, number[]>();
  for (const { name, weights, updates } of tensors) {
    for (let i = 0; i < weights.length; i++) {
      let state = startState(weights[i], settings);
      const { weight: start } = state;
      if (start === 0 || Number.isNaN(start) || Math.abs(start) === Infinity) continue;
      let first = Infinity;
      for (const [s, step] of stepNumbers.entries()) {
        let draw = 0;
        const random = () => randomBits(stepKey(tensorKey(settings.seed, name), step), i, draw++);
        state = applyUpdate(state, updates[s][i], { ...settings, random });
        if (state.weight !== start && first === Infinity) first = s + 1;
      }
      const exponent = Math.floor(Math.log2(Math.abs(start)));
      found.set(exponent, [...(found.get(exponent) ?? []), first]);
    }
  }
  return [...found]
    .filter(([, firsts]) => firsts.length >= 30)
    .sort(([a], [b]) => a - b)
    .map(([exponent, firsts]) => {
      // The step by which half had: the first one that enough are not later than.
      const steps = stepNumbers.map((_, s) => s + 1);
      const medianStep =
        steps.find((step) => 2 * firsts.filter((first) => first <= step).length >= firsts.length) ?? null;
      const shown = firsts.filter((first) => first < Infinity).length;
      return { exponent, weights: firsts.length, shown, medianStep };
    });
}

describe("studyFirstShown", () => {
  const stepNumbers = [3, 4, 8, 9, 20, 21, 22, 30, 31, 32, 33, 34];
  const [first, second] = [1, 2].map((seed) => gaussianRun(seed, 400 * seed, stepNumbers.length, 3e-5));
  // Of these nobody can say when they show.
  first.weights.fill(0, 0, 40).fill(Number.NaN, 40, 45).fill(Infinity, 45, 48);
  const numbers: readonly Numbers[] = [
    { name: "a", ...first },
    { name: "b", ...second },
  ];
  const tensors = numbers.map(({ name, weights, updates }) => tensorOf(name, weights, ...updates));

  it("is what one number after the other shows, in every case but fp32", async () => {
    const study = await studyFirstShown({ tensors, stepNumbers, cases }, formula);
    expect(study.map((entry) => entry.case)).toEqual([0, 2, 3, 4, 5]);
    for (const { case: c, binades } of study) {
      const found = binades.map(({ formula: _, ...counted }) => counted);
      const expected = bruteForce(numbers, stepNumbers, cases[c]);
      expect(found).toEqual(expected);
      expect(expected.length).toBeGreaterThan(3);
      // Some show soon, some never, so that all that can be said is.
      expect(expected[0].medianStep).not.toBeNull();
    }
    expect(study[0].binades.at(-1)!.medianStep).toBeNull();
  });

  it("has the formula for the gap of the binade", async () => {
    const study = await studyFirstShown({ tensors, stepNumbers, cases }, formula);
    for (const { case: c, binades } of study) {
      const digits = cases[c].format.name === "fp16" ? 11 : 8;
      for (const { exponent, formula: found } of binades) {
        // fp16 is subnormal below 2^-14.
        const gap = Math.max(2 ** (exponent + 1 - digits), digits === 11 ? 2 ** -24 : 0);
        expect(found).toBe(formula.medianStep(gap, cases[c]));
      }
    }
  });

  it("has nothing to say of no case but fp32, and of no step", async () => {
    expect(await studyFirstShown({ tensors, stepNumbers, cases: [cases[1]] }, formula)).toEqual([]);
    const none = tensors.map((tensor) => ({ ...tensor, updates: [] }));
    expect(await studyFirstShown({ tensors: none, stepNumbers: [], cases }, formula)).toEqual([]);
  });

  /** Of which tensor how many weights a study reads, from where. */
  async function readBy(lengths: readonly number[], steps: number): Promise<(readonly number[])[]> {
    const reads: (readonly number[])[] = [];
    const tensors = lengths.map((length, i): TensorInput => {
      const values: Values = {
        length,
        read: async (start, into) => {
          into.fill(0.5);
          reads.push([i, start, into.length]);
        },
      };
      const updates = Array<Values>(steps).fill({ ...valuesOf([]), length, read: async () => {} });
      return { name: `w${i}`, shape: [length], weights: values, updates };
    });
    const stepNumbers = Array.from({ length: steps }, (_, i) => i);
    await studyFirstShown({ tensors, stepNumbers, cases: [cases[0]] }, formula);
    return reads;
  }

  it("takes the first 4096 weights of a large job, in proportion to its tensors", async () => {
    expect(await readBy([6600, 2200, 1], 1)).toEqual([
      [0, 0, 3072],
      [1, 0, 1024],
    ]);
    expect(await readBy([3000, 1000], 1)).toEqual([
      [0, 0, 3000],
      [1, 0, 1000],
    ]);
  });

  it("takes fewer weights of a long job", async () => {
    // 2^21 weight-steps.
    expect(await readBy([5000], 1024)).toEqual([[0, 0, 2048]]);
  });
});
