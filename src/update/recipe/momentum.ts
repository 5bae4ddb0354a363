import type { Lines, Recipe } from "./recipe.js";

/** SGD with momentum and Lion, as torch-like frameworks run them; b1 is the momentum of SGD. */

const sgdScalars = ["mu = f32(b1)", "decay = f32(wd)", "s = f32(-lr)"];
const lionScalars = ["decay = f32(1 - lr * wd)", "w1 = f32(1 - b1)", "w2 = f32(1 - b2)", "s = f32(-lr)"];

const inPlace = { moments: [{ name: "m", of: "M" }], carriers: [], scheme: "in-place" } as const;

/** fp32 all through; what is stored of the weight is told by the last line. */
const sgdStep = ["wd != 0: g = g + decay * P", "t < 2: M = g", "t >= 2: M = M * mu + g", "P = P + s * M"];
const lionStep = ["wd != 0: P = P * decay", "P = P + s * sign(fma(w1, g - M, M))", "M = fma(w2, g - M, M)"];

/** The intended steps; see {@link Intended}. SGD's decay goes through its momentum and is no part of its own. */
export const intendedSgd: Lines = {
  scalars: sgdScalars,
  weight: [
    "shrink = 0",
    "wd != 0: g = g + decay * P",
    "t < 2: M = g",
    "t >= 2: M = M * mu + g",
    "adaptive = s * M",
    "u = adaptive",
    "unguarded = u",
  ],
};

export const intendedLion: Lines = {
  scalars: [...lionScalars, "shrinking = f32(-(lr * wd))"],
  weight: [
    "shrink = shrinking * P",
    "adaptive = s * sign(fma(w1, g - M, M))",
    "M = fma(w2, g - M, M)",
    "u = adaptive + shrink",
    "unguarded = u",
  ],
};

function inFp32(optimizer: "sgd" | "lion", scalars: readonly string[], step: readonly string[]): Recipe[] {
  const common = {
    optimizer,
    verified: "by definition",
    scheme: "master",
    moments: [{ name: "M", of: "M" }],
    carriers: [{ name: "P", from: "weight" }],
    scalars,
  } as const;
  return [
    {
      ...common,
      name: "fp32",
      scheme: "in-place",
      fp32Storage: true,
      of: "weights, gradients and states in fp32: the counterfactual",
      weight: [...step, "p = P"],
    },
    {
      ...common,
      name: "master",
      of: "fp32 master and states, weights stored from the master",
      weight: [...step, "p = R(P)"],
    },
  ];
}

export const sgdRecipes: readonly Recipe[] = [
  {
    ...inPlace,
    optimizer: "sgd",
    name: "torch-2.13-cpu-for-loop",
    of: "torch.optim.SGD(momentum=b1, foreach=False), PyTorch 2.13, CPU",
    verified: null,
    scalars: sgdScalars,
    weight: [
      "g = R(g)",
      "wd != 0: g = R(g + decay * p)",
      "t < 2: m = g",
      "t >= 2: m = R(m * mu)",
      "t >= 2: m = R(m + g)",
      "p = R(p + s * m)",
    ],
  },
  ...inFp32("sgd", sgdScalars, sgdStep),
];

export const lionRecipes: readonly Recipe[] = [
  {
    ...inPlace,
    optimizer: "lion",
    name: "lion-pytorch",
    of: "Lion (Chen et al., 2023) as lion-pytorch writes it, on PyTorch, CPU",
    verified: null,
    scalars: [...lionScalars, "beta1 = f32(b1)", "beta2 = f32(b2)"],
    weight: [
      "g = R(g)",
      "wd != 0: p = R(p * decay)",
      "u = R(m * beta1)",
      "u = R(u + w1 * g)",
      "p = R(p + s * sign(u))",
      "m = R(m * beta2)",
      "m = R(m + w2 * g)",
    ],
  },
  ...inFp32("lion", lionScalars, lionStep),
];
