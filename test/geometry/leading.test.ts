import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { productsOf, provenProducts } from "../../src/engine/wasm/products/products.js";
import { format } from "../../src/format/registry.js";
import { measureTensor } from "../../src/geometry/measure-tensor.js";
import type { MeasureName } from "../../src/lens/geometry-result.js";
import { sized } from "../support/tier.js";
import { type Held, pairOf, uniform } from "./support.js";

interface Case {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly k: number;
  readonly standsOut: boolean;
  readonly size: number;
  readonly share: number;
  readonly figures: Partial<Record<MeasureName, number>>;
}

/** By numpy's SVD: test/data/geometry/leading.py. */
const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../data/geometry/leading.json", import.meta.url), "utf8"),
);

const products = productsOf(await provenProducts());

/** The matrices of leading.py. */
function made({ rows, columns, standsOut, size, share }: Case): readonly [base: Held, tuned: Held] {
  const held = (numbers: Float32Array): Held => ({ rows, columns, numbers });
  const [inBase, inChange, chosen] = [1, 2, 3].map(uniform);
  const base = new Float32Array(rows * columns);
  const tuned = new Float32Array(rows * columns);
  for (let i = 0; i < base.length; i++) {
    const column = i % columns;
    const scale = 1 + (standsOut && column < 64 ? Math.floor(192 / (1 + column)) / 8 : 0);
    base[i] = (inBase() - 0.5) * scale;
    const change = size * (inChange() - 0.5);
    tuned[i] = base[i] + (chosen() < share ? change : 0);
  }
  return [held(base), held(tuned)];
}

async function measured(base: Held, tuned: Held, rank: number) {
  const { geometry } = await measureTensor(pairOf("w", base, tuned), {
    format: format("fp32"),
    walk: null,
    withoutSpectra: null,
    rank,
    seed: 0,
    products,
    allUpTo: 1,
  });
  return geometry;
}

// The larger ones take seconds.
describe.each(cases.filter(({ rows }) => rows < sized({ quick: 1000, full: 10_000 })))(
  "the leading directions of $name, $rows x $columns",
  async ({ figures, k, ...rest }) => {
    const [base, tuned] = made({ figures, k, ...rest });
    const { spectrum, measures } = await measured(base, tuned, k);

    test("are settled, with fewer vectors than the short side", () => {
      expect(spectrum).toMatchObject({ values: "leading", k });
      expect(spectrum!.unsettled).toBeLessThanOrEqual(1);
      expect(8 * spectrum!.passes!).toBeLessThan(Math.min(base.rows, base.columns));
    });

    test.each(Object.entries(figures))("%s is numpy's", (name, expected) => {
      expect(Math.abs(measures[name as MeasureName].measured! / expected - 1)).toBeLessThan(2e-3);
    });

    test("of a change without direction are as with shuffled signs", () => {
      for (const name of ["angleLeft90", "angleRight90", "angleLeftMedian", "angleRightMedian"] as const) {
        expect(Math.abs(measures[name].ratio! - 1), name).toBeLessThan(0.15);
      }
    });
  },
);

describe("of a matrix with equal singular values", async () => {
  const [rows, columns, k] = [192, 256, 24];
  const base = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) base[i * columns + i] = 1;
  const draw = uniform(9);
  const tuned = base.map((w) => w + 1e-3 * (draw() - 0.5));
  const held = (numbers: Float32Array): Held => ({ rows, columns, numbers });
  const { measures, spectrum } = await measured(held(base), held(tuned), k);

  test("there are no leading directions, which is the reason given", () => {
    expect(spectrum!.unsettled).toBeGreaterThan(1);
    const names = ["angleLeftMedian", "angleLeft90", "angleRightMedian", "angleRight90", "energy16"] as const;
    for (const name of [...names, "principalOverlap"] as const) {
      expect(measures[name]).toMatchObject({ measured: null, expected: null, ratio: null });
      expect(measures[name].reason).toMatch(
        /^its leading 24 singular values are so close that their directions/,
      );
    }
  });

  test("what needs none stays", () => {
    expect(measures.stableRank.ratio).toBeGreaterThan(0.9);
    expect(measures.stableRank.ratio).toBeLessThan(1.1);
  });
});

test("angles and drift of a change that fp32 does not resolve are unknown, and nothing else", async () => {
  const [{ rows, columns, k, ...rest }] = cases;
  const [base] = made({ rows, columns, k, ...rest });
  const draw = uniform(4);
  const tuned = {
    ...base,
    numbers: base.numbers.map((w) => w + (draw() < 0.01 ? 1e-5 * (draw() - 0.5) : 0)),
  };
  const { measures } = await measured(base, tuned, k);
  for (const name of [
    "drift",
    "angleLeftMedian",
    "angleLeft90",
    "angleRightMedian",
    "angleRight90",
  ] as const) {
    expect(measures[name].measured).toBeNull();
    expect(measures[name].reason).toMatch(
      /^its change is \S+e-\d of its norm, and products in fp32 resolve 2e-5$/,
    );
  }
  for (const name of ["stableRank", "energy16", "principalOverlap"] as const) {
    expect(measures[name].ratio, name).toBeGreaterThan(0.8);
  }
});
