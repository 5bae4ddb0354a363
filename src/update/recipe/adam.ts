import { adamwRecipes, fp32Moment, fp32Scalars, inVectors, leftOver, oldMoments } from "./adamw.js";
import { inPartsOnCpu, inPartsOnH100, withTorch113OnCpu } from "./compared.js";
import type { Lines, Recipe } from "./recipe.js";

/**
 * Adam (Kingma and Ba, 2015) as torch runs it: AdamW, but weight decay is added to the gradient, by SGD's
 * operation, and thus enters the moments.
 */

const onCpu = "wd != 0: g = R(g + l2 * p)";
const onCpuLeftOver = "wd != 0: g = R(g + R(l2 * p))";
const onCuda = "wd != 0: g = R(fma(l2, p, g))";
/** The line of AdamW to replace. */
const ofAdamw = "wd != 0: p = R(p * decay)";
const torchSource = "pytorch/pytorch torch/optim/adam.py";

/** The AdamW recipe with some lines replaced. */
function fromAdamw(
  name: string,
  changes: Pick<Recipe, "verified" | "comparedIn" | "source">,
  scalar: string,
  swaps: Readonly<Record<string, readonly string[]>>,
): Recipe {
  const recipe = adamwRecipes.find((each) => each.name === name)!;
  const swapped = recipe.weight.flatMap((line) => swaps[line] ?? [line]);
  return {
    ...recipe,
    ...changes,
    optimizer: "adam",
    of: recipe.of.replace("AdamW", "Adam"),
    scalars: [...recipe.scalars, scalar],
    weight: swapped,
  };
}

function onOneCpu(name: string): Recipe {
  const recipe = fromAdamw(name, { ...inPartsOnCpu, source: torchSource }, "l2 = R(wd)", {
    [ofAdamw]: [onCpu],
  });
  const tail = { block: 32, weight: recipe.weight.map((line) => (line === onCpu ? onCpuLeftOver : line)) };
  return { ...recipe, of: `${recipe.of}, one thread`, tail };
}

const cuda = (name: string) =>
  fromAdamw(name, { ...inPartsOnH100, source: torchSource }, "l2 = f32(wd)", { [ofAdamw]: [onCuda] });

const oldLines = (product: (term: string) => string, decay: string) => [
  "g = R(g)",
  decay,
  ...oldMoments(product),
  "p = R(p + (s * m) / d)",
];

/** In fp32, on states M and V and a weight P that are fp32 until they are stored. */
const fp32Step = ["wd != 0: g = g + l2 * P", ...fp32Moment];
const scalars = [...fp32Scalars, "l2 = f32(wd)"];

/** The intended step; see intended.ts. Decay enters the moments, so it is not a separate part. */
export const intendedAdam: Lines = {
  scalars,
  weight: [
    "shrink = 0",
    ...fp32Step,
    "adaptive = (s * M) / (d + e)",
    "u = adaptive",
    "unguarded = (s * M) / d",
  ],
};

const inFp32 = (name: string): Recipe => ({
  ...fromAdamw(name, { verified: "by definition", source: torchSource }, "l2 = f32(wd)", {}),
  weight: [...fp32Step, "P = P + (s * M) / (d + e)", name === "fp32" ? "p = P" : "p = R(P)"],
});

export const adamRecipes: readonly Recipe[] = [
  onOneCpu("torch-2.13-cpu-for-loop"),
  onOneCpu("torch-2.13-cpu-foreach"),
  fromAdamw(
    "torch-2.13-cpu-fused",
    { verified: null, source: "pytorch/pytorch aten/src/ATen/native/cpu/FusedAdamKernel.cpp" },
    "l2 = f32(wd)",
    { "P = p * decay": ["wd != 0: g = fma(l2, p, g)", "P = p"] },
  ),
  cuda("torch-2.13-cuda-for-loop"),
  cuda("torch-2.13-cuda-foreach"),
  fromAdamw(
    "torch-2.13-cuda-fused",
    { verified: null, source: "pytorch/pytorch aten/src/ATen/native/cuda/fused_adam_utils.cuh" },
    "l2 = f32(wd)",
    { "P = fma(-decay, p, p)": ["wd != 0: g = fma(l2, p, g)", "P = p"] },
  ),
  cuda("torch-2.13-cuda-capturable"),
  inFp32("fp32"),
  inFp32("master"),
  {
    ...fromAdamw("torch-1.13-cpu", { ...withTorch113OnCpu, source: torchSource }, "l2 = R(wd)", {}),
    weight: oldLines(inVectors, onCpu),
    tail: { block: 32, weight: oldLines(leftOver, onCpuLeftOver) },
  },
];
