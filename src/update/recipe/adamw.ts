import { bnbAdamw } from "./bitsandbytes.js";
import { collageRecipes } from "./collage.js";
import {
  withTorch113OnCpu,
  withTorch211OnH100,
  withTorch211OnH100InFp16Too,
  withTorch213OnCpu,
} from "./compared.js";
import { otherFrameworks } from "./other-frameworks.js";
import { fp32Moments, type Lines, type Recipe, storedMoments } from "./recipe.js";

/**
 * AdamW (Loshchilov and Hutter, 2019) as implemented by frameworks. Torch's sequences come from its 2.13
 * sources; R f32 fma as in recipe.ts.
 */

const inPlace = { optimizer: "adamw", moments: storedMoments, carriers: [], scheme: "in-place" } as const;

const biasCorrections = ["bc1 = 1 - b1^t", "bc2 = 1 - b2^t"];
export const torchScalars = [
  ...biasCorrections,
  "decay = f32(1 - lr * wd)",
  "w = f32(1 - b1)",
  "rest = f32(w - 1)",
  "c2 = f32(1 - b2)",
  "beta2 = f32(b2)",
  "s = f32(-(lr / bc1))",
  "root = f32(sqrt(bc2))",
];
/** torch.lerp has two branches, to be exact at both ends. */
const lerp = ["w < 0.5: m = R(fma(w, g - m, m))", "w >= 0.5: m = R(fma(rest, g - m, g))"];

const decayed = ["g = R(g)", "wd != 0: p = R(p * decay)", ...lerp, "v = R(v * beta2)"];

/** Decay and moments by torch's CPU operations, up to the root; optimi calls the same ones. */
const cpuMoments = [...decayed, "v = R(fma(c2 * g, g, v))", "d = R(sqrt(v))"];

/** The same on CUDA, where addcmul multiplies the tensors first. */
const cudaMoments = [...decayed, "v = R(fma(c2, g * g, v))", "d = R(sqrt(v))"];

const torchSource = "pytorch/pytorch torch/optim/adamw.py";
/** The first moment became a lerp here; earlier releases follow torch 1.13. */
const sinceLerp = "; its Python text since pytorch#104796 (July 2023)";

const cpuForLoop: Recipe = {
  ...inPlace,
  name: "torch-2.13-cpu-for-loop",
  of: "torch.optim.AdamW(foreach=False), PyTorch 2.13.0, CPU",
  source: torchSource,
  releases: `2.13${sinceLerp}`,
  ...withTorch213OnCpu,
  scalars: [...torchScalars, "e = R(eps)"],
  weight: [...cpuMoments, "d = R(d / root)", "d = R(d + e)", "p = R(p + (s * m) / d)"],
};

const cudaForLoop: Recipe = {
  ...inPlace,
  name: "torch-2.13-cuda-for-loop",
  of: "torch.optim.AdamW(foreach=False), PyTorch 2.13, CUDA",
  source: torchSource,
  releases: `2.11 to 2.13${sinceLerp}`,
  ...withTorch211OnH100,
  scalars: [...torchScalars, "e = f32(eps)", "reciprocal = f32(1 / sqrt(bc2))"],
  weight: [...cudaMoments, "d = R(d * reciprocal)", "d = R(d + e)", "p = R(fma(s, m / d, p))"],
};

/** For fp32 states, torch uses the processor's square root. */
export const rootRemark =
  "On fp32 tensors torch 2.13's own square root differs by machine: on an AMD processor a fifth of all roots are one ulp off, so " +
  "1.4 % of the weights of its for-loop and foreach differ from this at lr 1e-3, and none at 1e-6. In bf16 none of it shows.";

/** The whole step in fp32, on states M and V and a weight P that are fp32 until they are stored. */
export const fp32Moment = [
  "w < 0.5: M = fma(w, g - M, M)",
  "w >= 0.5: M = fma(rest, g - M, g)",
  "V = V * beta2",
  "V = fma(c2 * g, g, V)",
  "d = sqrt(V) / root",
];
const fp32Step = ["wd != 0: P = P * decay", ...fp32Moment, "P = P + (s * M) / (d + e)"];
export const fp32Scalars = [...torchScalars, "e = f32(eps)"];

/** The intended step; see {@link Intended}. */
export const intendedAdamw: Lines = intendedFrom(fp32Scalars, fp32Moment);

function intendedFrom(scalars: readonly string[], moments: readonly string[]): Lines {
  return {
    scalars: [...scalars, "shrinking = f32(-(lr * wd))"],
    weight: [
      ...moments,
      "shrink = shrinking * P",
      "adaptive = (s * M) / (d + e)",
      "u = adaptive + shrink",
      "unguarded = (s * M) / d + shrink",
    ],
  };
}

/**
 * optimi folds the corrections into the betas, b^ = (b^t - b) / (b^t - 1): its moments are the corrected
 * ones.
 */
const optimiScalars = [
  "w = f32(1 - (b1^t - b1) / (b1^t - 1))",
  "rest = f32(w - 1)",
  "beta2 = f32((b2^t - b2) / (b2^t - 1))",
  "c2 = f32(1 - (b2^t - b2) / (b2^t - 1))",
  "s = f32(-lr)",
];

/**
 * Before torch 2, for-loop and foreach compute the moments by products and sums, with scalar factors cast to
 * bf16.
 */
export const oldMoments = (product: (term: string) => string) => [
  "m = R(m * beta1)",
  `m = R(m + ${product("c1 * g")})`,
  "v = R(v * beta2)",
  "v = R(fma(c2 * g, g, v))",
  "d = R(sqrt(v))",
  "d = R(d / root)",
  "d = R(d + e)",
];
/** In elements left over by vector loops, the product is rounded before the sum. */
export const inVectors = (term: string) => term;
export const leftOver = (term: string) => `R(${term})`;

const oldLines = (product: (term: string) => string) => [
  "g = R(g)",
  "wd != 0: p = R(p * decay)",
  ...oldMoments(product),
  "p = R(p + (s * m) / d)",
];

const oldCpu: Recipe = {
  ...inPlace,
  name: "torch-1.13-cpu",
  of: "torch.optim.AdamW, for-loop and foreach, PyTorch 1.13.1, CPU, one thread",
  source: torchSource,
  releases: "1.13; its Python text until pytorch#104796 (July 2023)",
  ...withTorch113OnCpu,
  scalars: [
    ...biasCorrections,
    "decay = R(1 - lr * wd)",
    "beta1 = R(b1)",
    "c1 = R(1 - b1)",
    "beta2 = R(b2)",
    "c2 = f32(1 - b2)",
    "s = f32(-(lr / bc1))",
    "root = R(sqrt(bc2))",
    "e = R(eps)",
  ],
  weight: oldLines(inVectors),
  tail: { block: 32, weight: oldLines(leftOver) },
};

export const adamwRecipes: readonly Recipe[] = [
  cpuForLoop,
  {
    ...cpuForLoop,
    name: "torch-2.13-cpu-foreach",
    of: "torch.optim.AdamW(foreach=True), PyTorch 2.13.0, CPU",
    source: torchSource,
    releases: `2.13${sinceLerp}`,
    // The scalars that multiply a whole tensor are cast to its dtype first.
    scalars: [...cpuForLoop.scalars, "decay = R(1 - lr * wd)", "beta2 = R(b2)"],
  },
  {
    ...inPlace,
    name: "torch-2.13-cpu-fused",
    of: "torch.optim.AdamW(fused=True), PyTorch 2.13.0, CPU",
    source: "pytorch/pytorch aten/src/ATen/native/cpu/FusedAdamKernel.cpp",
    releases: "2.13",
    ...withTorch213OnCpu,
    scalars: fp32Scalars,
    weight: [
      "g = R(g)",
      "P = p * decay",
      "w < 0.5: M = fma(w, g - m, m)",
      "w >= 0.5: M = fma(rest, g - m, g)",
      "V = fma(c2 * g, g, v * beta2)",
      "d = sqrt(V) / root + e",
      "P = P + (s * M) / d",
      "p = R(P)",
      "m = R(M)",
      "v = R(V)",
    ],
  },
  cudaForLoop,
  {
    ...cudaForLoop,
    name: "torch-2.13-cuda-foreach",
    of: "torch.optim.AdamW(foreach=True), PyTorch 2.13, CUDA",
    source: torchSource,
    releases: `2.11 to 2.13${sinceLerp}`,
    weight: [...cudaMoments, "d = R(d / root)", "d = R(d + e)", "p = R(fma(s, m / d, p))"],
  },
  {
    ...inPlace,
    name: "torch-2.13-cuda-fused",
    of: "torch.optim.AdamW(fused=True), PyTorch 2.13, CUDA",
    source: "pytorch/pytorch aten/src/ATen/native/cuda/fused_adam_utils.cuh",
    releases: "2.11 to 2.13; its lerp by fma since pytorch#153782 (May 2025)",
    ...withTorch211OnH100InFp16Too,
    // The corrections are computed in fp32 on the device.
    scalars: [
      "beta1 = f32(b1)",
      "beta2 = f32(b2)",
      "e = f32(eps)",
      "decay = mul32(f32(lr), f32(wd))",
      "s = div32(f32(lr), sub32(1, powf(b1, t)))",
      "root = sqrt32(sub32(1, powf(b2, t)))",
    ],
    weight: [
      "g = R(g)",
      "P = fma(-decay, p, p)",
      "M = fma(beta1, m, fma(-beta1, g, g))",
      "V = fma(beta2, v, fma(-beta2, g * g, g * g))",
      "d = sqrt(V) / root + e",
      "P = P - (s * M) / d",
      "p = R(P)",
      "m = R(M)",
      "v = R(V)",
    ],
  },
  {
    ...cudaForLoop,
    name: "torch-2.13-cuda-capturable",
    of: "torch.optim.AdamW(capturable=True), foreach, PyTorch 2.13, CUDA",
    source: torchSource,
    releases: `2.11 to 2.13${sinceLerp}`,
    // Step number and corrections are on the device: fp32, stored, and each divides the denominator.
    scalars: [
      ...torchScalars,
      "e = f32(eps)",
      "root = R(sqrt32(sub32(1, powf(b2, t))))",
      "s = R(div32(f32(-lr), sub32(1, powf(b1, t))))",
    ],
    weight: [...cudaMoments, "d = R(d / root)", "d = R(d + e)", "d = R(d / s)", "p = R(p + m / d)"],
  },
  {
    optimizer: "adamw",
    name: "fp32",
    of: "weights, gradients and states in fp32: the counterfactual",
    remark: rootRemark,
    source: torchSource,
    releases: "any",
    verified: "by definition",
    scheme: "in-place",
    fp32Storage: true,
    moments: fp32Moments,
    carriers: [{ name: "P", from: "weight" }],
    scalars: fp32Scalars,
    weight: [...fp32Step, "p = P"],
  },
  {
    optimizer: "adamw",
    name: "master",
    of: "fp32 master and states, weights stored from the master (verl, Megatron, TransformerEngine)",
    remark: rootRemark,
    source: torchSource,
    releases: "any",
    verified: "by definition",
    scheme: "master",
    moments: fp32Moments,
    carriers: [{ name: "P", from: "weight" }],
    scalars: fp32Scalars,
    weight: [...fp32Step, "p = R(P)"],
  },
  {
    ...inPlace,
    name: "torchao-stochastic",
    of: "torchao.optim._AdamW(bf16_stochastic_round=True), its eager sequence",
    source: "pytorch/ao torchao/optim/adam.py",
    releases: "0.19.0 (read)",
    verified: null,
    scalars: [
      "lr32 = f32(lr)",
      "decay = mul32(lr32, f32(wd))",
      "w = f32(1 - b1)",
      "rest = f32(w - 1)",
      "c2 = f32(1 - b2)",
      "rest2 = f32(c2 - 1)",
      "bc1 = sub32(1, powf(b1, t))",
      "root = sqrt32(sub32(1, powf(b2, t)))",
      "e = f32(eps)",
    ],
    weight: [
      "g = R(g)",
      "P = p - decay * p",
      "w < 0.5: M = fma(w, g - m, m)",
      "w >= 0.5: M = fma(rest, g - m, g)",
      "c2 < 0.5: V = fma(c2, g * g - v, v)",
      "c2 >= 0.5: V = fma(rest2, g * g - v, g * g)",
      "m = R(M)",
      "v = R(V)",
      "d = sqrt(V) / root + e",
      "P = P - (lr32 * (M / bc1)) / d",
      "p = S(P)",
    ],
  },
  {
    optimizer: "adamw",
    name: "kahan",
    of: "optimi.AdamW(kahan_sum=True, foreach=False), optimi 0.3.3 on PyTorch, CPU",
    source: "warner-benjamin/optimi optimi/adamw.py",
    releases: "0.3.3 (read)",
    verified: null,
    scheme: "kahan",
    moments: storedMoments,
    correctedMoments: true,
    carriers: [{ name: "k", from: "zero" }],
    scalars: [...optimiScalars, "decay = f32(1 - lr * wd)", "e = R(eps)"],
    meant: intendedFrom(
      [...optimiScalars, "e = f32(eps)"],
      fp32Moment.map((line) => line.replace(" / root", "")),
    ),
    weight: [
      ...cpuMoments,
      "d = R(d + e)",
      "k = R(k + (s * m) / d)",
      "before = p",
      "p = R(p + k)",
      "k = R(k + R(before - p))",
    ],
  },
  ...collageRecipes,
  oldCpu,
  ...otherFrameworks,
  bnbAdamw,
];
