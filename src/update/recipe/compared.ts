import type { Recipe } from "./recipe.js";

/**
 * Releases and devices with which recipes were compared, for each state and step of their golden vectors
 * (test/update/recipe/golden.test.ts). A recipe is named after the release whose sources it follows, which may differ
 * from the one with which it was compared.
 */
type Compared = Pick<Recipe, "verified" | "comparedIn">;

const bf16 = ["bf16"];
const h100 = "bit for bit with torch 2.11.0+cu130 on an H100, ten steps";

export const withTorch213OnCpu: Compared = {
  verified: "bit for bit with torch 2.13.0+cpu, ten steps",
  comparedIn: bf16,
};

export const withTorch113OnCpu: Compared = {
  verified: "bit for bit with torch 1.13.1 on a CPU, ten steps",
  comparedIn: bf16,
};

/** Adam takes the decay of SGD and everything else of AdamW; both were compared. */
export const inPartsOnCpu: Compared = {
  verified:
    "bit for bit in parts: decay as SGD with torch 2.11.0+cu130 on a CPU, the rest as AdamW with torch 2.13.0+cpu",
  comparedIn: bf16,
};

export const inPartsOnH100: Compared = {
  verified: "bit for bit in parts: decay as SGD, the rest as AdamW, with torch 2.11.0+cu130 on an H100",
  comparedIn: bf16,
};

export const withTorch211OnCpu: Compared = {
  verified: "bit for bit with torch 2.11.0+cu130 on a CPU, ten steps",
  comparedIn: bf16,
};

export const withTorch211OnH100: Compared = { verified: h100, comparedIn: bf16 };

/** For for-loop and foreach a comparison in fp16 is void: eps 1e-8 is 0 there, and weights become NaN. */
export const withTorch211OnH100InFp16Too: Compared = { verified: h100, comparedIn: ["bf16", "fp16"] };
