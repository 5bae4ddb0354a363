import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/lens/run/case.js";
import { samplingOf, shareHalfWidth } from "../../../src/lens/study/sampling.js";
import { random32 } from "../../support/bits.js";

interface Stratum {
  readonly elements: number;
  readonly unchanged: number;
  readonly hidden: number;
  readonly apparentSparsity: number | null;
  /** <c, D>, <d, D>, <D, D>, |c - D|^2 and |w|^2, as exact sums; nothing by default. */
  readonly sums?: Partial<Record<(typeof sums)[number], readonly number[] | null>>;
}

const sums = ["retainedProduct", "product", "displacementSquared", "noiseSquared", "weightSquared"] as const;
const noSums = Object.fromEntries(sums.map((name) => [name, []]));

/** As much of a case as an estimate reads. */
function caseOf(strata: readonly Stratum[]): Case {
  const tensors = strata.map(({ elements, unchanged, hidden, apparentSparsity, sums }) => ({
    totals: { elements, apparentSparsity },
    end: { unchanged, hidden, sums: { ...noSums, ...sums } },
  }));
  return { tensors } as unknown as Case;
}

const stratum = (elements: number, unchanged: number): Stratum => ({
  elements,
  unchanged,
  hidden: 0,
  apparentSparsity: 1,
});

const random = random32(77);
const uniform = () => (random() + 0.5) / 2 ** 32;

/** How many of n drawn without replacement from `size`, of which `marked` are marked, are marked. */
function drawWithoutReplacement(n: number, size: number, marked: number): number {
  let found = 0;
  for (let i = 0; i < n; i++) if (uniform() * (size - i) < marked - found) found += 1;
  return found;
}

/** How likely Student's t of so many degrees of freedom is within -t and t (Abramowitz and Stegun, 26.7.3 and 26.7.4). */
function confidence(t: number, df: number): number {
  const angle = Math.atan(t / Math.sqrt(df));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = df % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = odd && df === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < df - 1; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

describe("half of the interval of a share", () => {
  it("is 1.96 standard errors, one more of either being counted as drawn, by hand", () => {
    // 6 of 12, 1 of 10, 9 of 10.
    expect(shareHalfWidth(0.5, 10)).toBeCloseTo(1.959964 * Math.sqrt(0.025), 15);
    expect(shareHalfWidth(0, 8)).toBeCloseTo(1.959964 * Math.sqrt(0.09 / 8), 15);
    expect(shareHalfWidth(1, 8)).toBeCloseTo(1.959964 * Math.sqrt(0.09 / 8), 15);
  });
});

describe("samplingOf", () => {
  it("is the mean of the shares weighted by the sizes, each share for itself", () => {
    const { parameters, confidence, cases } = samplingOf(
      [
        caseOf([
          { elements: 10, unchanged: 5, hidden: 2, apparentSparsity: 0.75 },
          { elements: 20, unchanged: 20, hidden: 5, apparentSparsity: 0.5 },
        ]),
        caseOf([stratum(10, 0), stratum(20, 10)]),
      ],
      [100, 300],
    );
    expect([parameters, confidence]).toEqual([400, 0.95]);
    const [{ unchanged, hidden, apparentSparsity }, second] = cases;
    expect(unchanged.estimate).toBe(0.25 * 0.5 + 0.75);
    expect(hidden.estimate).toBeCloseTo(0.25 * 0.2 + 0.75 * 0.25, 15);
    expect(apparentSparsity.estimate).toBe(0.25 * 0.75 + 0.75 * 0.5);
    expect(second.unchanged.estimate).toBe(0.375);
    expect(second.hidden.estimate).toBe(0);
  });

  it("has the error of a stratified sample, by hand", () => {
    const [{ unchanged }] = samplingOf([caseOf([stratum(8, 3), stratum(18, 18)])], [16, 48]).cases;
    // Shares with one more of either: 4 of 10, 19 of 20; a quarter and three quarters of the whole.
    const first = (1 / 16) * ((0.4 * 0.6) / 8) * (1 - 8 / 16);
    const second = (9 / 16) * ((0.95 * 0.05) / 18) * (1 - 18 / 48);
    expect(unchanged.standardError).toBeCloseTo(Math.sqrt(first + second), 15);
    const mean = 0.25 * (3 / 8) + 0.75;
    expect(unchanged.low).toBeCloseTo(mean - 1.959964 * unchanged.standardError, 12);
    expect(unchanged.high).toBeCloseTo(Math.min(1, mean + 1.959964 * unchanged.standardError), 12);
  });

  it("has no error where everything was counted", () => {
    const [{ unchanged }] = samplingOf([caseOf([stratum(7, 3), stratum(9, 9)])], [7, 9]).cases;
    expect(unchanged).toEqual({ estimate: 0.75, standardError: 0, low: 0.75, high: 0.75 });
  });

  it("has an error where all of a sample are alike, and stays within 0 and 1", () => {
    const [none, all] = samplingOf([caseOf([stratum(50, 0)]), caseOf([stratum(50, 50)])], [1e6]).cases;
    expect(none.unchanged).toMatchObject({ estimate: 0, low: 0 });
    expect(none.unchanged.high).toBeGreaterThan(0.01);
    expect(all.unchanged).toMatchObject({ estimate: 1, high: 1 });
    expect(all.unchanged.low).toBeLessThan(0.99);
  });

  it("takes a tensor without a finite weight-step as unchanged", () => {
    const [{ apparentSparsity }] = samplingOf(
      [caseOf([{ elements: 4, unchanged: 0, hidden: 0, apparentSparsity: null }])],
      [4],
    ).cases;
    expect(apparentSparsity.estimate).toBe(1);
  });

  it.each([
    ["a few per cent of large tensors", [100_000, 40_000, 3_000], [0.8, 0.7, 0.95], [500, 200, 20]],
    ["half of small tensors", [400, 200, 100], [0.3, 0.6, 0.5], [200, 100, 50]],
    ["many tensors, few elements of each", Array(30).fill(1000), Array(30).fill(0.5), Array(30).fill(15)],
  ])(
    "has the truth in 95 %% of its intervals: %s",
    (_, sizes: number[], shares: number[], taken: number[]) => {
      const samples = 2000;
      const marked = sizes.map((size, i) => Math.round(size * shares[i]));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const truth = marked.reduce((sum, count) => sum + count, 0) / total;
      let [covered, mean, square, error] = [0, 0, 0, 0];
      for (let sample = 0; sample < samples; sample++) {
        const strata = taken.map((n, i) => stratum(n, drawWithoutReplacement(n, sizes[i], marked[i])));
        const { estimate, standardError, low, high } = samplingOf([caseOf(strata)], sizes).cases[0].unchanged;
        if (low <= truth && truth <= high) covered += 1;
        mean += (estimate - truth) / samples;
        square += (estimate - truth) ** 2 / samples;
        error += standardError / samples;
      }
      const binomial = Math.sqrt((0.95 * 0.05) / samples);
      // Four binomial errors, and half a per cent for shares that are counts and no normal numbers.
      expect(Math.abs(covered / samples - 0.95)).toBeLessThan(4 * binomial + 0.005);
      // No bias; and the error is what the estimates scatter by, known to 1 / sqrt(2 n) of itself.
      expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(square / samples));
      expect(Math.abs(error / Math.sqrt(square) - 1)).toBeLessThan(4 / Math.sqrt(2 * samples) + 0.02);
    },
  );
});

describe("ratios of sums over the whole", () => {
  /** A tensor of which so many are drawn, with the sums of what was drawn. */
  const drawn = (elements: number, x: number, y: number): Stratum => ({
    ...stratum(elements, 0),
    sums: {
      // Exact sums may have several parts.
      displacementSquared: [x / 2, x / 2],
      retainedProduct: [y],
      product: [y / 2],
      noiseSquared: [y],
      weightSquared: [4 * x],
    },
  });
  const four = [0.1, 0.2, 0.3, 0.4].map((y) => drawn(2, 1, y));

  it("are those of all tensors in proportion, their errors by the jackknife, by hand", () => {
    const [{ retained, visible, noise, noiseToWeight }] = samplingOf([caseOf(four)], [4, 4, 4, 4]).cases;
    expect(retained!.estimate).toBeCloseTo(0.25, 15);
    expect(visible!.estimate).toBeCloseTo(0.125, 15);
    expect(noise!.estimate).toBeCloseTo(0.5, 15);
    expect(noiseToWeight!.estimate).toBeCloseTo(0.25, 15);
    // Without a tensor the ratio is (2 - y) / 6 for y of .2, .4, .6, .8; half of the whole was drawn.
    const apart = [0.2, 0.4, 0.6, 0.8].map((y) => ((2 - y) / 6 - 0.25) ** 2);
    const error = Math.sqrt((3 / 4) * 0.5 * apart.reduce((sum, square) => sum + square, 0));
    expect(retained!.standardError).toBeCloseTo(error, 15);
    // Student's t of three degrees of freedom is 3.182.
    expect((retained!.high - 0.25) / error).toBeGreaterThan(3.12);
    expect((retained!.high - 0.25) / error).toBeLessThan(3.2);
    expect(retained!.low + retained!.high).toBeCloseTo(0.5, 14);
    expect(noise!.low ** 2).toBeCloseTo(retained!.low, 14);
    expect(noise!.high ** 2).toBeCloseTo(retained!.high, 14);
  });

  it("have half the relative error where they are roots", () => {
    const [{ retained, noise }] = samplingOf([caseOf(four)], [4, 4, 4, 4]).cases;
    // The sums are alike, and noise is the root of .25.
    expect(noise!.standardError / 0.5).toBeCloseTo(retained!.standardError / 0.25 / 2, 15);
    const still = four.map((each) => ({ ...each, sums: { ...each.sums, noiseSquared: [] } }));
    const [{ noise: none }] = samplingOf([caseOf(still)], [4, 4, 4, 4]).cases;
    expect(none).toEqual({ estimate: 0, standardError: 0, low: 0, high: 0 });
  });

  it("weigh what was drawn of a tensor by how little of it was drawn", () => {
    // 1 of 4, 2 of 4, 4 of 4 and 2 of 8: the sums stand for 4, 2, 1 and 4 times as much.
    const strata = [1, 2, 4, 2].map((elements, i) => drawn(elements, 1, (i + 1) / 8));
    const [{ retained }] = samplingOf([caseOf(strata)], [4, 4, 4, 8]).cases;
    // 11^2 / (16 + 4 + 1 + 16) is 3.27 tensors.
    expect(retained).toBeNull();
    const twice = samplingOf([caseOf([...strata, ...strata])], [4, 4, 4, 8, 4, 4, 4, 8]).cases[0].retained!;
    expect(twice.estimate).toBeCloseTo((4 * 1 + 2 * 2 + 1 * 3 + 4 * 4) / 8 / 11, 15);
    // Without a tensor, twice over; of the third nothing is left to chance.
    const [X, Y] = [22, (2 * 27) / 8];
    const squares = [
      [4, 4 / 8, 3 / 4],
      [2, 4 / 8, 1 / 2],
      [4, 16 / 8, 3 / 4],
    ].map(([x, y, left]) => 2 * left * ((Y - y) / (X - x) - Y / X) ** 2);
    const error = Math.sqrt((7 / 8) * squares.reduce((sum, square) => sum + square, 0));
    expect(twice.standardError).toBeCloseTo(error, 15);
  });

  it("are what they are without the tensors that nothing moved", () => {
    const [without, beside] = [four, [...four, drawn(2, 0, 0)]].map((strata) =>
      samplingOf(
        [caseOf(strata)],
        strata.map(() => 4),
      ),
    );
    expect(beside.cases[0].retained).toEqual(without.cases[0].retained);
  });

  it.each([4, 5, 10, 20, 40])(
    "of %d tensors have Student's quantile, but for the next term of its expansion (Abramowitz and Stegun, 26.7.5)",
    (tensors) => {
      const strata = Array.from({ length: tensors }, (_, i) => drawn(1, 1, i / tensors));
      const [{ retained }] = samplingOf([caseOf(strata)], Array(tensors).fill(2)).cases;
      const df = tensors - 1;
      const quantile = (retained!.high - retained!.estimate) / retained!.standardError;
      const z = 1.959964;
      const next = 79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z;
      const after = 27 * z ** 11 + 339 * z ** 9 + 930 * z ** 7 - 1782 * z ** 5 - 765 * z ** 3 + 17955 * z;
      const series = quantile + next / (92160 * df ** 4) + after / (368640 * df ** 5);
      expect(Math.abs(confidence(series, df) - 0.95)).toBeLessThan(0.06 / df ** 6 + 3e-9);
    },
  );

  it("count tensors by their size, not by what was drawn of them", () => {
    const [{ retained }] = samplingOf([caseOf(four)], [4, 4, 4, 40]).cases;
    expect(retained).toBeNull();
    const more = [...four, ...four];
    const [{ retained: weighted }] = samplingOf([caseOf(more)], [4, 4, 4, 8, 4, 4, 4, 8]).cases;
    expect(weighted!.estimate).toBeCloseTo((2 * (0.1 + 0.2 + 0.3) + 4 * 0.4) / 10, 15);
  });

  it("are unknown of few tensors, of tensors that nothing moved, and where a result has no sums", () => {
    const known = (strata: readonly Stratum[]) =>
      samplingOf(
        [caseOf(strata)],
        strata.map(() => 9),
      ).cases[0].retained !== null;
    expect(known(four)).toBe(true);
    expect(known(four.slice(1))).toBe(false);
    expect(known([...four.slice(1), drawn(2, 0, 0)])).toBe(false);
    expect(known([...four, drawn(2, 0, 0)])).toBe(true);
    expect(known([...four, { ...stratum(2, 0), sums: { retainedProduct: null } }])).toBe(false);
    const [{ noise, noiseToWeight }] = samplingOf(
      [caseOf([...four, { ...four[0], sums: { ...four[0].sums, weightSquared: null } }])],
      Array(5).fill(9),
    ).cases;
    expect([noise === null, noiseToWeight]).toEqual([false, null]);
  });

  it("have no error where everything was counted, or where all tensors agree", () => {
    const [{ retained }] = samplingOf([caseOf(four)], [2, 2, 2, 2]).cases;
    expect(retained).toMatchObject({ standardError: 0, low: retained!.estimate, high: retained!.estimate });
    const alike = [1, 2, 3, 4, 5].map((x) => drawn(2, x, x));
    expect(
      samplingOf(
        [caseOf(alike)],
        alike.map(() => 100),
      ).cases[0].retained,
    ).toMatchObject({
      estimate: 1,
      standardError: 0,
    });
  });

  it.each([
    ["a large tensor beside others", [30_000, ...Array(10).fill(10_000), 2000]],
    ["tensors alike", Array(40).fill(5000)],
  ])("have the truth in 95 %% of their intervals or more: %s", (_, sizes: number[]) => {
    // Few weights move, each by far: what storage in place makes of small updates.
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const population = sizes.map((size) =>
      Array.from({ length: size }, () => {
        const d = normal();
        return { x: d * d, y: uniform() < 0.03 ? 20 * Math.abs(d) : 0 };
      }),
    );
    const sumOf = (terms: readonly { x: number; y: number }[], key: "x" | "y") =>
      terms.reduce((sum, term) => sum + term[key], 0);
    const everything = population.flat();
    const truth = sumOf(everything, "y") / sumOf(everything, "x");
    const samples = 400;
    let [covered, square, error] = [0, 0, 0];
    for (let sample = 0; sample < samples; sample++) {
      const strata = population.map((tensor) => {
        const n = tensor.length / 50;
        const picked = Array.from({ length: n }, () => tensor[random() % tensor.length]);
        return drawn(n, sumOf(picked, "x"), sumOf(picked, "y"));
      });
      const { estimate, standardError, low, high } = samplingOf([caseOf(strata)], sizes).cases[0].retained!;
      if (low <= truth && truth <= high) covered += 1;
      square += (estimate - truth) ** 2 / samples;
      error += standardError / samples;
    }
    expect(covered / samples).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / samples));
    // Tensors are alike here: the error is what the estimates scatter by, and not far more.
    expect(error / Math.sqrt(square)).toBeGreaterThan(0.85);
    expect(error / Math.sqrt(square)).toBeLessThan(1.25);
  });
});
