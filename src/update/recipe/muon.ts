import type { Lines, Recipe } from "./recipe.js";
import { sidesOf, type Whole } from "./whole.js";

/**
 * Muon (Jordan et al., 2024): the momentum of a matrix, orthogonalized by five Newton-Schulz steps in bf16.
 * Matrix products are accumulated in fp32 in element order and rounded to bf16 once; a GPU's order depends on
 * its kernel, so its bits differ.
 */

const { fround } = Math;
const number = new Float32Array(1);
const word = new Uint32Array(number.buffer);

/** Rounds an fp32 number to bf16, nearest-even, by its bits for speed: matrices need millions of these. */
function R(x: number): number {
  if (Number.isNaN(x)) return x;
  number[0] = x;
  word[0] = (word[0] + 0x7fff + ((word[0] >>> 16) & 1)) & 0xffff0000;
  return number[0];
}
const steps = 5;
const coefficients = [3.4445, -4.775, 2.0315].map(fround);

/** A matrix by rows. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly of: Float32Array;
}

/** a b, or a b' if `transposed`: accumulated in fp32 in element order, then rounded to bf16. */
export function product(a: Matrix, b: Matrix, transposed = false): Matrix {
  const columns = transposed ? b.rows : b.columns;
  const right = transposed ? transpose(b).of : b.of;
  const numbers = new Float32Array(a.rows * columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const x = a.of[i * a.columns + k];
      const [to, from] = [i * columns, k * columns];
      // The product of two bf16 numbers is exact in fp32; the array rounds the sum to fp32.
      for (let j = 0; j < columns; j++) numbers[to + j] += x * right[from + j];
    }
  }
  for (let i = 0; i < numbers.length; i++) numbers[i] = R(numbers[i]);
  return { rows: a.rows, columns, of: numbers };
}

function transpose({ rows, columns, of: numbers }: Matrix): Matrix {
  const turned = new Float32Array(numbers.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = numbers[i * columns + j];
  return { rows: columns, columns: rows, of: turned };
}

/** zeropower_via_newtonschulz5: X to a matrix with the same singular vectors and singular values near 1. */
export function orthogonalize(given: Float32Array, rows: number, columns: number): Float32Array {
  const [a, b, c] = coefficients;
  const matrix = { rows, columns, of: given.map(R) };
  let x: Matrix = rows > columns ? transpose(matrix) : matrix;
  let square = 0;
  for (const each of x.of) square = fround(square + fround(each * each));
  const norm = R(fround(R(fround(Math.sqrt(square))) + fround(1e-7)));
  x = { ...x, of: x.of.map((each) => R(fround(each / norm))) };
  for (let step = 0; step < steps; step++) {
    const gram = product(x, x, true);
    const scaled = { ...gram, of: gram.of.map((each) => R(fround(c * each))) };
    const second = product(scaled, gram);
    const both = { ...gram, of: gram.of.map((each, i) => R(fround(R(fround(b * each)) + second.of[i]))) };
    const moved = product(both, x);
    x = { ...x, of: x.of.map((each, i) => R(fround(R(fround(a * each)) + moved.of[i]))) };
  }
  return rows > columns ? transpose(x).of : x.of;
}

/**
 * The direction `o` of the momentum `n`, with its author's scale. Moonlight's scale, .2 sqrt(max(rows,
 * columns)), amounts to another learning rate per matrix.
 */
const direction: Whole = {
  needs: "tensor",
  what: "whole matrices",
  reads: ["n"],
  writes: ["o"],
  refuses: (shape) =>
    shape.length === 2 ? null : "Muon steps matrices, and leaves all else to an optimizer beside it",
  run({ n, o }, { shape }) {
    const [rows, columns] = sidesOf(shape);
    const by = fround(Math.sqrt(Math.max(1, rows / columns)));
    const found = orthogonalize(n, rows, columns);
    for (let i = 0; i < o.length; i++) o[i] = R(fround(found[i] * by));
  },
};

const scalars = [
  "mu = f32(b1)",
  "w = f32(1 - b1)",
  "rest = f32(w - 1)",
  "back = f32(mu - 1)",
  "decay = f32(1 - lr * wd)",
  "s = f32(-lr)",
];

/** torch.lerp of momentum, and of the gradient towards it (Nesterov); R stores. */
const momentum = (m: string, R: (term: string) => string) => [
  `w < 0.5: ${m} = ${R(`fma(w, g - ${m}, ${m})`)}`,
  `w >= 0.5: ${m} = ${R(`fma(rest, g - ${m}, g)`)}`,
  `mu < 0.5: n = ${R(`fma(mu, ${m} - g, g)`)}`,
  `mu >= 0.5: n = ${R(`fma(back, ${m} - g, ${m})`)}`,
];
const stored = (term: string) => `R(${term})`;
const asIs = (term: string) => term;

/** The intended step; see intended.ts: the direction in bf16, which is the algorithm, its update in fp32. */
export const intendedMuon: Lines = {
  scalars: [...scalars, "shrinking = f32(-(lr * wd))"],
  weight: momentum("M", asIs),
  whole: direction,
  after: ["shrink = shrinking * P", "adaptive = s * o", "u = adaptive + shrink", "unguarded = u"],
};

const common = {
  optimizer: "muon",
  source: "KellerJordan/Muon muon.py; pytorch/pytorch torch/optim/_muon.py",
  releases: "main of both (read)",
  scalars,
  whole: direction,
} as const;

const inFp32 = {
  ...common,
  verified: "by definition",
  scheme: "master",
  moments: [{ name: "M", of: "M" }],
  carriers: [{ name: "P", from: "weight" }],
  weight: momentum("M", asIs),
} as const;
const fp32Step = ["wd != 0: P = P * decay", "P = fma(s, o, P)"];

export const muonRecipes: readonly Recipe[] = [
  {
    ...common,
    name: "muon",
    of: "Muon on bf16 weights, gradients and momentum, CUDA: orthogonalized in bf16, scaled by sqrt(max(1, rows / columns))",
    verified: null,
    scheme: "in-place",
    moments: [{ name: "m", of: "M" }],
    carriers: [],
    weight: ["g = R(g)", ...momentum("m", stored)],
    after: ["wd != 0: p = R(p * decay)", "p = R(fma(s, o, p))"],
  },
  {
    ...inFp32,
    name: "fp32",
    of: "weights, gradients and momentum in fp32, the direction in bf16: the counterfactual",
    scheme: "in-place",
    fp32Storage: true,
    after: [...fp32Step, "p = P"],
  },
  {
    ...inFp32,
    name: "master",
    of: "fp32 master and momentum, the direction in bf16, weights stored from the master",
    after: [...fp32Step, "p = R(P)"],
  },
];
