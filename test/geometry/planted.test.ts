import { describe, expect, test } from "vitest";
import { productsOf, provenProducts } from "../../src/engine/wasm/products/products.js";
import { format } from "../../src/format/registry.js";
import { measureTensor } from "../../src/geometry/measure-tensor.js";
import { type Measure, type MeasureName, measureNames } from "../../src/lens/geometry-result.js";
import { bf16, normal, pairOf, uniform } from "./support.js";

const products = productsOf(await provenProducts());
const rows = 256;
const columns = 192;

/** Columns made orthonormal by Gram and Schmidt, apart from the solver under test. */
function orthonormal(length: number, k: number, draw: () => number): Float64Array[] {
  const found: Float64Array[] = [];
  while (found.length < k) {
    const x = Float64Array.from({ length }, draw);
    for (let twice = 0; twice < 2; twice++) {
      for (const direction of found) {
        const along = direction.reduce((sum, value, i) => sum + value * x[i], 0);
        for (let i = 0; i < length; i++) x[i] -= along * direction[i];
      }
    }
    const norm = Math.hypot(...x);
    found.push(x.map((value) => value / norm));
  }
  return found;
}

const draw = normal(uniform(3));
const left = orthonormal(rows, columns, draw);
const right = orthonormal(columns, columns, draw);

/** A base of a known spectrum: values fall from 2 with some that stand out, rounded to bf16. */
const base = bf16(
  Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let j = 0; j < columns; j++)
      sum += ((2 - j / columns + 4 / (j + 1)) / 2) * left[j][row] * right[j][column];
    return sum;
  }),
);
/** The base of rank k, which tells the principal mask. */
const principal = (() => {
  const rebuilt = Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let j = 0; j < columns / 8; j++)
      sum += ((2 - j / columns + 4 / (j + 1)) / 2) * left[j][row] * right[j][column];
    return Math.abs(sum);
  });
  const least = rebuilt.slice().sort()[Math.floor(0.7 * rebuilt.length)];
  return rebuilt.map((x) => Number(x >= least));
})();

const sigma = 2e-4;
const noise = Float64Array.from({ length: rows * columns }, () => sigma * draw());

async function measuresOf(change: (i: number) => number, allUpTo?: number) {
  const tuned = bf16(Float64Array.from(base, (w, i) => w + change(i)));
  const matrix = pairOf("planted", { rows, columns, numbers: base }, { rows, columns, numbers: tuned });
  const { geometry } = await measureTensor(matrix, {
    format: format("bf16"),
    walk: { lr: sigma, steps: 1 },
    withoutSpectra: null,
    rank: 64,
    seed: 5,
    products,
    ...(allUpTo !== undefined && { allUpTo }),
  });
  return geometry;
}

/** Not told by sampling: beyond 15 % of what is expected and six of its standard deviations, where these are known. */
function standsOut({ measured, expected, deviation = 0 }: Measure): boolean {
  return Math.abs(measured! - expected!) > 0.15 * expected! + 6 * deviation;
}

const known = (measures: Readonly<Record<MeasureName, Measure>>) =>
  measureNames.filter((name) => measures[name].measured !== null);
const thoseThatStandOut = (measures: Readonly<Record<MeasureName, Measure>>) =>
  known(measures).filter((name) => standsOut(measures[name]));

describe("isotropic noise", async () => {
  const { measures, spectrum } = await measuresOf((i) => noise[i]);

  test("gives what is expected in every measure", () => {
    expect(spectrum).toMatchObject({ values: "all", k: 24 });
    expect(measures.changed.measured).toBeGreaterThan(0.3);
    expect(measures.changed.measured).toBeLessThan(0.9);
    expect(known(measures)).toEqual([...measureNames]);
    expect(thoseThatStandOut(measures)).toEqual([]);
  });

  test("is a noise walk, and what storage alone shows of it", () => {
    // Rounding to bf16 adds its own move to one of half a gap.
    expect(measures.size.ratio).toBeGreaterThan(0.99);
    expect(measures.size.ratio).toBeLessThan(1.08);
    expect(measures.changed.ratio).toBeCloseTo(1, 1);
    expect(measures.lowOverlap.ratio).toBeCloseTo(1, 1);
  });
});

describe("of what is planted, exactly that stands out", () => {
  const [u, v] = [orthonormal(rows, 1, draw)[0], orthonormal(columns, 1, draw)[0]];
  const size = sigma * Math.sqrt(rows * columns);

  test("a change of rank one along no direction of the base", async () => {
    const { measures } = await measuresOf(
      (i) => 0.3 * noise[i] + size * u[Math.floor(i / columns)] * v[i % columns],
    );
    expect(measures.stableRank.measured).toBeLessThan(2);
    const out = thoseThatStandOut(measures);
    expect(out).toContain("stableRank");
    // Its factors are larger in some rows, which change more often; and singular values follow a change of low rank.
    for (const name of ["principalOverlap", "energy64", "energyQuarter"]) expect(out).not.toContain(name);
  });

  test("a change along the first directions of the base", async () => {
    const { measures } = await measuresOf(
      (i) => noise[i] + 0.2 * size * left[0][Math.floor(i / columns)] * right[0][i % columns],
    );
    expect(measures.energy16.ratio).toBeGreaterThan(3);
    const out = thoseThatStandOut(measures);
    for (const name of ["energy16", "energy64", "drift"]) expect(out).toContain(name);
    for (const name of ["principalOverlap", "lowOverlap", "rowSpread", "columnSpread"]) {
      expect(out).not.toContain(name);
    }
  });

  test("rows that move and rows that do not", async () => {
    const { measures } = await measuresOf((i) =>
      Math.floor(i / columns) % 4 === 0 ? noise[i] : 0.3 * noise[i],
    );
    expect(thoseThatStandOut(measures).filter((name) => name !== "size" && name !== "changed")).toEqual([
      "rowSpread",
    ]);
  });

  test("columns that move and columns that do not", async () => {
    const { measures } = await measuresOf((i) => ((i % columns) % 4 === 0 ? noise[i] : 0.3 * noise[i]));
    expect(thoseThatStandOut(measures).filter((name) => name !== "size" && name !== "changed")).toEqual([
      "columnSpread",
    ]);
  });

  test("principal weights that move and others that do not", async () => {
    const { measures } = await measuresOf((i) => (principal[i] ? noise[i] : 0.2 * noise[i]));
    const out = thoseThatStandOut(measures).filter((name) => name !== "size" && name !== "changed");
    expect(out).toContain("principalOverlap");
    // Rows and columns that weigh more in the leading directions have more principal weights: they change more often.
    for (const name of ["stableRank", "drift", "energy16", "energy64"]) {
      expect(out).not.toContain(name);
    }
  });

  test("a mask by size moves the low mask, and the principal one is told by size", async () => {
    const { measures } = await measuresOf((i) => (Math.abs(base[i]) > 0.05 ? 8 * noise[i] : 0));
    const out = thoseThatStandOut(measures).filter((name) => name !== "size" && name !== "changed");
    expect(out).toEqual(["lowOverlap"]);
    // Chance alone would have called that a finding.
    const chance = measures.principalOverlap.others!.find((other) => other.null === "chance")!;
    expect(measures.principalOverlap.measured).toBeGreaterThan(1.1 * chance.expected);
  });
});

describe("leading values alone", async () => {
  const whole = await measuresOf(
    (i) =>
      noise[i] +
      0.2 * sigma * Math.sqrt(rows * columns) * left[0][Math.floor(i / columns)] * right[0][i % columns],
  );
  const { measures, spectrum } = await measuresOf(
    (i) =>
      noise[i] +
      0.2 * sigma * Math.sqrt(rows * columns) * left[0][Math.floor(i / columns)] * right[0][i % columns],
    1,
  );

  test("are said to be those", () => {
    expect(spectrum).toMatchObject({ values: "leading", k: 24, draws: 3 });
    expect(measures.energyQuarter).toMatchObject({ measured: null, ratio: null });
    expect(measures.energyQuarter.reason).toMatch(/needs all singular vectors/);
    expect(measures.energy64.reason).toMatch(/need --rank 64/);
  });

  test("give the energy, the mask and the stable rank of all values", () => {
    for (const name of ["energy16", "principalOverlap", "stableRank"] as const) {
      expect(measures[name].measured! / whole.measures[name].measured!).toBeCloseTo(1, 1);
    }
  });

  test("of noise, nothing stands out", async () => {
    const { measures } = await measuresOf((i) => noise[i], 1);
    expect(thoseThatStandOut(measures)).toEqual([]);
  });
});

test("what has no geometry says why", async () => {
  const one = await measuresOf(() => 0);
  expect(one.measures.stableRank).toEqual({
    measured: null,
    expected: null,
    null: null,
    ratio: null,
    reason: "nothing changed",
  });
  // Its size is known; so that means over matrices are not of the changed ones alone.
  expect([one.measures.size.measured, one.measures.changed.measured]).toEqual([0, 0]);
  const bad = await measuresOf((i) => (i === 7 ? Number.NaN : noise[i]));
  expect(bad.measures.drift.reason).toBe("1 of its numbers is NaN or Inf");
  expect(bad.spectrum).toBeNull();
});

describe("directions of a matrix of low rank are not defined", () => {
  const measuredOf = async (before: (i: number) => number, after: (i: number) => number) => {
    const [from, to] = [before, after].map((f) =>
      bf16(Float64Array.from({ length: rows * columns }, (_, i) => f(i))),
    );
    const matrix = pairOf("w", { rows, columns, numbers: from }, { rows, columns, numbers: to });
    const options = { format: format("bf16"), walk: null, withoutSpectra: null, rank: 64, seed: 5, products };
    return (await measureTensor(matrix, options)).geometry.measures;
  };

  test("of a base of rank one: no angles or energies, but a drift and a stable rank", async () => {
    // Powers of two, whose products bf16 holds.
    const outer = (i: number) => 2 ** ((Math.floor(i / columns) % 5) + ((i % columns) % 7));
    const measures = await measuredOf(outer, (i) => outer(i) + (i % 3 === 0 ? 1 : 0));
    const reason = "only 1 of its singular values is not zero: the leading 24 directions are not defined";
    expect(measures.angleLeft90).toMatchObject({ measured: null, reason });
    expect(measures.energy16).toMatchObject({ measured: null, reason: reason.replace("24", "16") });
    expect(measures.energyQuarter.measured).toBeNull();
    for (const name of ["drift", "stableRank"] as const) expect(measures[name].measured).toBeGreaterThan(0);
  });

  test("of a tuned matrix of zeros: no angles", async () => {
    const measures = await measuredOf(
      (i) => base[i],
      () => 0,
    );
    expect(measures.angleRightMedian.reason).toMatch(/^only 0 of its singular values are not zero/);
    expect(measures.drift.measured).toBeCloseTo(1, 12);
  });

  test.each([2 ** 96, 2 ** -84])(
    "numbers of which products leave the range of fp32 have no spectrum: %s",
    async (scale) => {
      const measures = await measuredOf(
        (i) => base[i] * scale,
        (i) => (base[i] + noise[i]) * scale,
      );
      expect(measures.stableRank.reason).toMatch(/products of these may leave the range of fp32$/);
      expect(measures.size.measured).toBeGreaterThan(0);
    },
  );
});
