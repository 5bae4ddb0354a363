import { fma } from "../../format/operations.js";
import { format } from "../../format/registry.js";
import type { Lines, Recipe } from "./recipe.js";
import { sidesOf, type Whole } from "./whole.js";

/**
 * Adafactor (Shazeer and Stern, 2018) as transformers runs it with an explicit learning rate: fp32 inside,
 * the second moment of a matrix factored into row and column means, the update clipped by its root mean
 * square. Means are accumulated in fp32 in element order; torch adds vectors.
 */

const { fround, sqrt } = Math;
const fp32 = format("fp32");
/** Added to each square; distinct from the eps of the settings, which is for denominators. */
const squareEps = fround(1e-30);

/**
 * From the gradient `g`: the mean squares of rows and columns, `r` and `c`, for every weight those of its row
 * and column (in a vector, `r` is the weight's own square), their product `V`, and the direction `o` before
 * and after clipping.
 */
const factored: Whole = {
  needs: "tensor",
  what: "whole matrices",
  reads: ["g", "r", "c", "V"],
  writes: ["o"],
  refuses: (shape) => (shape.length > 2 ? "of more than two sides" : null),
  run({ g, r, c, V, o }, { shape, scalar }) {
    const [beta, rest] = [scalar("beta2"), scalar("c2")];
    const decayed = (state: number, square: number) => fma(rest, square, fround(state * beta), fp32);
    const squares = g.map((x) => fround(fround(x * x) + squareEps));
    if (shape.length < 2) {
      for (let i = 0; i < g.length; i++) r[i] = decayed(r[i], squares[i]);
      for (let i = 0; i < g.length; i++) {
        V[i] = r[i];
        o[i] = fround(fround(1 / fround(sqrt(r[i]))) * g[i]);
      }
      return clip(o);
    }
    const [rows, columns] = sidesOf(shape);
    const rowMeans = new Float32Array(rows);
    const columnMeans = new Float32Array(columns);
    for (let i = 0; i < g.length; i++) {
      rowMeans[Math.floor(i / columns)] += squares[i];
      columnMeans[i % columns] += squares[i];
    }
    const row = rowMeans.map((sum, i) => decayed(r[i * columns], fround(sum / columns)));
    const column = columnMeans.map((sum, j) => decayed(c[j], fround(sum / rows)));
    let total = 0;
    for (const mean of row) total = fround(total + mean);
    const mean = fround(total / rows);
    const rowFactors = row.map((square) => fround(1 / fround(sqrt(fround(square / mean)))));
    const columnFactors = column.map((square) => fround(1 / fround(sqrt(square))));
    for (let i = 0; i < g.length; i++) {
      const [x, y] = [Math.floor(i / columns), i % columns];
      [r[i], c[i]] = [row[x], column[y]];
      V[i] = fround(fround(row[x] / mean) * column[y]);
      o[i] = fround(fround(rowFactors[x] * columnFactors[y]) * g[i]);
    }
    clip(o);
  },
};

/** Divides by the root mean square, if that is over 1. */
function clip(o: Float32Array): void {
  let square = 0;
  for (const x of o) square = fround(square + fround(x * x));
  const by = Math.max(1, fround(fround(sqrt(square)) / fround(sqrt(o.length))));
  for (let i = 0; i < o.length; i++) o[i] = fround(o[i] / by);
}

// beta2 of step t is 1 - t^-.8, so 0 at the first step.
const scalars = [
  "power = t^(-0.8)",
  "beta2 = f32(1 - power)",
  "c2 = f32(1 - (1 - power))",
  "s = f32(-lr)",
  "step = f32(lr)",
  "shrinking = f32(-(wd * lr))",
];

/** The intended step; see intended.ts. Its momentum is the gradient. */
export const intendedAdafactor: Lines = {
  scalars,
  weight: ["M = g"],
  whole: factored,
  after: ["shrink = shrinking * P", "adaptive = s * o", "u = adaptive + shrink", "unguarded = u"],
};

const step = ["wd != 0: P = fma(shrinking, P, P)", "P = P - step * o"];

const common = {
  optimizer: "adafactor",
  source: "huggingface/transformers src/transformers/optimization.py, Adafactor",
  releases: "main (read)",
  moments: [{ name: "V", of: "V" }],
  kept: ["r", "c"],
  scalars,
  whole: factored,
} as const;

export const adafactorRecipes: readonly Recipe[] = [
  {
    ...common,
    name: "transformers-adafactor",
    of: "transformers' Adafactor(scale_parameter=False, relative_step=False) on bf16 weights: fp32 inside, stored in bf16",
    verified: null,
    scheme: "in-place",
    carriers: [],
    weight: ["g = R(g)", "P = p"],
    after: ["P = p", ...step, "p = R(P)"],
  },
  {
    ...common,
    name: "fp32",
    of: "weights, gradients and states in fp32: the counterfactual",
    verified: "by definition",
    scheme: "in-place",
    fp32Storage: true,
    carriers: [{ name: "P", from: "weight" }],
    weight: ["P = P"],
    after: [...step, "p = P"],
  },
  {
    ...common,
    name: "master",
    of: "fp32 master and states, weights stored from the master",
    verified: "by definition",
    scheme: "master",
    carriers: [{ name: "P", from: "weight" }],
    weight: ["P = P"],
    after: [...step, "p = R(P)"],
  },
];
