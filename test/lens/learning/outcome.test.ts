import { describe, expect, it } from "vitest";
import { type Achievement, crossover, passGains, passRates } from "../../../src/lens/learning/outcome.js";

function achieved(samples: number | null, correct: readonly number[] | null, passAt = {}): Achievement {
  const kl = { klForward: null, klReverse: null };
  return { prompts: correct?.length ?? null, samplesPerPrompt: samples, correct, passAt, ...kl };
}

/** The share of the choices of k among n answers, c of them right, that have a right one: all of them are looked at. */
function passByChoices(n: number, c: number, k: number): number {
  let [choices, passed] = [0, 0];
  for (let set = 0; set < 2 ** n; set++) {
    const chosen = Array.from({ length: n }, (_, i) => (set >> i) & 1);
    if (chosen.reduce((sum, one) => sum + one, 0) !== k) continue;
    choices += 1;
    if (chosen.slice(0, c).includes(1)) passed += 1;
  }
  return passed / choices;
}

describe("pass@k from counts", () => {
  it.each([1, 2, 3, 5, 8])("of %i answers is the share of choices that have a right one", (n) => {
    for (let c = 0; c <= n; c++) {
      const rates = passRates(achieved(n, [c]));
      expect(rates.map(({ k }) => k)).toEqual([1, 2, 4, 8].filter((k) => k <= n));
      for (const { k, mean, half } of rates) {
        expect(mean).toBeCloseTo(passByChoices(n, c, k), 12);
        expect(half).toBeNull();
      }
    }
  });

  it("is asked for powers of two, up to the number of answers and 1024", () => {
    const ks = (n: number) => passRates(achieved(n, [1])).map(({ k }) => k);
    expect(ks(63)).toEqual([1, 2, 4, 8, 16, 32]);
    expect(ks(64)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(ks(5000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
  });

  it("is a mean over prompts, with half of its 95% interval", () => {
    // pass@1 is 1/4, 3/4 and 1/2: the mean is 1/2, the variance (1/16 + 1/16) / 2, that of the mean a third of it.
    const [first] = passRates(achieved(4, [1, 3, 2]));
    expect(first.mean).toBe(0.5);
    expect(first.half).toBeCloseTo(1.96 * Math.sqrt(1 / 48), 12);
    // Of two prompts, 0 and 1: the variance is 1/2, that of the mean 1/4.
    expect(passRates(achieved(1, [0, 1]))).toEqual([{ k: 1, mean: 0.5, half: 1.96 * 0.5 }]);
    expect(passRates(achieved(2, [2, 2, 2])).map(({ mean, half }) => [mean, half])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});

describe("pass@k as given", () => {
  const given = { 10: 0.5, 1: 0.25, 100: 1 };
  const rates = [
    { k: 1, mean: 0.25, half: null },
    { k: 10, mean: 0.5, half: null },
    { k: 100, mean: 1, half: null },
  ];

  it("where there are no counts, by k", () => {
    expect(passRates(achieved(null, null, given))).toEqual(rates);
  });

  it("also where only the counts or only the number of answers is known", () => {
    expect(passRates(achieved(4, null, given))).toEqual(rates);
    expect(passRates(achieved(null, [1, 2], given))).toEqual(rates);
  });

  it("gives way to counts", () => {
    expect(passRates(achieved(1, [1, 1], given)).map(({ mean }) => mean)).toEqual([1]);
  });
});

describe("the crossover", () => {
  const at = (passAt: Readonly<Record<string, number>>) => achieved(null, null, passAt);
  const base = at({ 1: 0.2, 8: 0.6, 64: 0.9 });

  it.each([
    ["the first k at which the run is below", { 1: 0.5, 8: 0.6, 64: 0.8 }, 64],
    ["the smallest of several", { 1: 0.5, 8: 0.5, 64: 0.8 }, 8],
    ["k = 1 where it is below from the start", { 1: 0.1, 8: 0.9, 64: 0.95 }, 1],
    ["none where it is never below, even if equal", { 1: 0.2, 8: 0.6, 64: 1 }, null],
    ["only k that both have", { 1: 0.5, 4: 0.1, 16: 0, 64: 0.8 }, 64],
    ["none where they have no k in common", { 2: 0, 4: 0.1 }, null],
  ] as const)("is %s", (_, run, expected) => {
    // Without counts there is no interval.
    expect(crossover(base, at(run))).toEqual(expected && { k: expected, beyondChance: null });
  });

  it("is beyond chance if the mean difference of prompts is more than its interval", () => {
    // Of 100 prompts one lost one answer of 16: -1/1600, with the deviation 1/160 and so 1.96 / 1600 either way.
    const base = achieved(16, [...Array(99).fill(8), 9]);
    const run = achieved(16, Array(100).fill(8));
    const [first] = passGains(base, run);
    expect(first.k).toBe(1);
    expect(first.mean).toBeCloseTo(-1 / 1600, 15);
    expect(first.half).toBeCloseTo(1.96 / 1600, 15);
    expect(crossover(base, run)).toEqual({ k: 1, beyondChance: false });
    // Each of the prompts lost one: no doubt, though the two intervals overlap by far.
    const hard = achieved(16, [1, 4, 8, 12, 16]);
    const harder = achieved(16, [0, 3, 7, 11, 15]);
    expect(crossover(hard, harder)).toEqual({ k: 1, beyondChance: true });
    expect(crossover(harder, hard)).toBeNull();
  });

  it("is the first beyond chance, though a smaller k is below by chance", () => {
    // At k = 1 five prompts lose a half and four win one; at k = 2 five lose all, and nothing is left to win.
    const base = achieved(2, [1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const run = achieved(2, [0, 0, 0, 0, 0, 2, 2, 2, 2]);
    expect(passGains(base, run).map(({ k, mean }) => [k, mean])).toEqual([
      [1, expect.closeTo(-1 / 18, 15)],
      [2, expect.closeTo(-5 / 9, 15)],
    ]);
    expect(crossover(base, run)).toEqual({ k: 2, beyondChance: true });
  });

  it("of other prompts has the interval of two independent means", () => {
    // Variances of the means: 1/12 and 1/4 (0, 1/2, 1 and 0, 1).
    const [gain] = passGains(achieved(2, [0, 1, 2]), achieved(1, [0, 1]));
    expect(gain).toEqual({ k: 1, mean: 0, half: expect.closeTo(1.96 * Math.sqrt(1 / 12 + 1 / 4), 12) });
    // One prompt has no scatter.
    expect(passGains(achieved(1, [1]), achieved(1, [0]))).toEqual([{ k: 1, mean: -1, half: null }]);
  });
});
