import { withTorch211OnCpu, withTorch211OnH100 } from "./compared.js";
import type { Lines, Recipe } from "./recipe.js";

/** SGD with momentum and Lion, as torch-like frameworks run them; b1 is the momentum of SGD. */

const sgdScalars = ["mu = f32(b1)", "decay = f32(wd)", "s = f32(-lr)"];
const lionScalars = ["decay = f32(1 - lr * wd)", "w1 = f32(1 - b1)", "w2 = f32(1 - b2)", "s = f32(-lr)"];

const torchSource = "pytorch/pytorch torch/optim/sgd.py";

const inPlace = { moments: [{ name: "m", of: "M" }], carriers: [], scheme: "in-place" } as const;

/** fp32 throughout; the last line determines how the weight is stored. */
const sgdStep = ["wd != 0: g = g + decay * P", "t < 2: M = g", "t >= 2: M = M * mu + g", "P = P + s * M"];
const lionStep = ["wd != 0: P = P * decay", "P = P + s * sign(fma(w1, g - M, M))", "M = fma(w2, g - M, M)"];

/**
 * The intended steps; see {@link Intended}. SGD's decay enters its momentum, so it is not a separate part.
 */
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
    source:
      optimizer === "sgd"
        ? torchSource
        : "Chen et al., Symbolic Discovery of Optimization Algorithms (arXiv 2302.06675)",
    releases: "any",
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

const storedMomentum = ["t < 2: m = g", "t >= 2: m = R(R(m * mu) + g)"];

/**
 * On the CPU, lr and wd are rounded to the storage format before multiplying. Vector loops fuse the product
 * with its sum; the elements left over after blocks of 32 (x86-64) round it separately. These are at the end
 * of a tensor and, above 32768 elements on several threads, at the end of each thread's range.
 */
const sgdCpuForLoop: Recipe = {
  ...inPlace,
  optimizer: "sgd",
  name: "torch-2.13-cpu-for-loop",
  of: "torch.optim.SGD(momentum=b1, foreach=False), PyTorch 2.13, CPU, one thread",
  source: torchSource,
  releases: "2.11 to 2.13",
  ...withTorch211OnCpu,
  scalars: ["mu = f32(b1)", "decay = R(wd)", "rate = R(lr)"],
  weight: ["g = R(g)", "wd != 0: g = R(g + decay * p)", ...storedMomentum, "p = R(p - rate * m)"],
  tail: {
    block: 32,
    weight: ["g = R(g)", "wd != 0: g = R(g + R(decay * p))", ...storedMomentum, "p = R(p - R(rate * m))"],
  },
};

const sgdCudaForLoop: Recipe = {
  ...inPlace,
  optimizer: "sgd",
  name: "torch-2.13-cuda-for-loop",
  of: "torch.optim.SGD(momentum=b1, foreach=False), PyTorch 2.13, CUDA",
  source: torchSource,
  releases: "2.11 to 2.13",
  ...withTorch211OnH100,
  scalars: sgdScalars,
  weight: ["g = R(g)", "wd != 0: g = R(fma(decay, p, g))", ...storedMomentum, "p = R(fma(s, m, p))"],
};

export const sgdRecipes: readonly Recipe[] = [
  sgdCpuForLoop,
  {
    ...sgdCpuForLoop,
    name: "torch-2.13-cpu-foreach",
    of: "torch.optim.SGD(momentum=b1, foreach=True), PyTorch 2.13, CPU, one thread",
    source: torchSource,
    releases: "1.13 to 2.13",
    scalars: ["mu = R(b1)", "decay = R(wd)", "rate = R(lr)"],
  },
  sgdCudaForLoop,
  {
    ...sgdCudaForLoop,
    name: "torch-2.13-cuda-foreach",
    of: "torch.optim.SGD(momentum=b1, foreach=True), PyTorch 2.13, CUDA",
    source: torchSource,
    releases: "2.11 to 2.13",
  },
  {
    ...sgdCudaForLoop,
    name: "torch-2.13-cuda-fused",
    of: "torch.optim.SGD(momentum=b1, fused=True), PyTorch 2.13, CUDA",
    source: "pytorch/pytorch aten/src/ATen/native/cuda/FusedSgdKernel.cu",
    releases: "2.11 to 2.13",
    weight: [
      "g = R(g)",
      "wd != 0: g = fma(decay, p, g)",
      "t < 2: M = g",
      "t >= 2: M = m * mu + g",
      "p = R(fma(s, M, p))",
      "m = R(M)",
    ],
  },
  ...inFp32("sgd", sgdScalars, sgdStep),
];

/** The fault: aten/src/ATen/native/cpu/FusedSGDKernel.cpp, whose vector loop has no store of the weight. */
export const sgdNotImitated: ReadonlyMap<string, string> = new Map([
  [
    "torch-2.13-cpu-fused",
    "torch.optim.SGD(fused=True) on the CPU has a bug up to 2.13 (pytorch#191763). It never stores bf16 or fp16 " +
      "weights in whole blocks of 16 elements, and reads their momentum as fp32: such a run does not train at all. " +
      "Train with fused=False, and take torch-2.13-cpu-foreach here",
  ],
]);

export const lionRecipes: readonly Recipe[] = [
  {
    ...inPlace,
    optimizer: "lion",
    name: "lion-pytorch",
    of: "Lion (Chen et al., 2023) as lion-pytorch writes it, on PyTorch, CPU",
    source: "lucidrains/lion-pytorch lion_pytorch/lion_pytorch.py",
    releases: "not pinned",
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
