import { type Recipe, storedMoments } from "./recipe.js";

/**
 * Collage (Yu et al., "Collage: light-weight low-precision strategy for LLM training", ICML 2024): every operation is
 * in the storage format; the weight (light) and also the second moment (plus) are expansions of two numbers.
 */
const scalars = [
  "bc1 = 1 - b1^t",
  "bc2 = 1 - b2^t",
  "beta1 = R(b1)",
  "c1 = R(1 - b1)",
  "beta2 = R(b2)",
  "c2 = R(1 - b2)",
  "correct1 = R(bc1)",
  "correct2 = R(bc2)",
  "lr32 = R(lr)",
  "decay = R(wd)",
  "e = R(eps)",
];
const first = ["g = R(g)", "m = R(R(beta1 * m) + R(c1 * g))"];
/** The update u, then Grow: Fast2Sum of p and u, the error and the second term renormalized. */
const last = [
  "d = R(R(sqrt(R(v / correct2))) + e)",
  "u = R(R(m / correct1) / d)",
  "u = R(-lr32 * R(u + R(decay * p)))",
  "x = R(p + u)",
  "r = R(r + R(u - R(x - p)))",
  "p = R(x + r)",
  "r = R(r - R(p - x))",
];

const common = {
  optimizer: "adamw",
  scheme: "two-term",
  verified: null,
  source: "Yu et al., Collage (arXiv 2405.03637), algorithm 2",
  releases: "the paper",
} as const;

export const collageRecipes: readonly Recipe[] = [
  {
    ...common,
    name: "collage-light",
    of: "Collage-light, algorithm 2 of arXiv 2405.03637",
    moments: storedMoments,
    carriers: [{ name: "r", from: "zero" }],
    scalars,
    weight: [...first, "v = R(R(beta2 * v) + R(c2 * R(g * g)))", ...last],
  },
  {
    ...common,
    name: "collage-plus",
    of: "Collage-plus, algorithm 2 of arXiv 2405.03637",
    moments: [
      { name: "m", of: "M" },
      { name: "v", of: "V", carrier: "dv" },
    ],
    carriers: [{ name: "r", from: "zero" }],
    scalars: [...scalars, "dbeta2 = R(b2 - beta2)"],
    weight: [
      ...first,
      // Mul of (v, dv) and (beta2, dbeta2): the product, its error by fma, the cross terms.
      "y = R(beta2 * v)",
      "f = R(fma(beta2, v, -y))",
      "f = R(f + R(R(v * dbeta2) + R(beta2 * dv)))",
      "v = R(y + f)",
      "dv = R(f - R(v - y))",
      // Grow by (1 - b2) g^2, the larger first.
      "q = R(c2 * R(g * g))",
      "y = R(v + q)",
      "v < q: f = R(v - R(y - q))",
      "v >= q: f = R(q - R(y - v))",
      "dv = R(dv + f)",
      "v = R(y + dv)",
      "dv = R(dv - R(v - y))",
      ...last,
    ],
  },
];
