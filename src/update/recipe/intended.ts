import { intendedAdafactor } from "./adafactor.js";
import { intendedAdam } from "./adam.js";
import { intendedAdamw } from "./adamw.js";
import { intendedLion, intendedSgd } from "./momentum.js";
import { intendedMuon } from "./muon.js";
import { fp32Moments, type Lines, type OptimizerName, type Recipe } from "./recipe.js";

/**
 * The update that a step intends, independent of storage: the step in fp32 from a given weight P and moments
 * M and V, as an update u separate from the weight, so that fp32 does not absorb it either. It also yields
 * u's parts, `adaptive` (from the gradients) and `shrink` (weight decay); `unguarded`, u without epsilon; and
 * the intended moments.
 */
export type Intended = Recipe;

const lines: Readonly<Record<OptimizerName, Lines>> = {
  adamw: intendedAdamw,
  adam: intendedAdam,
  sgd: intendedSgd,
  lion: intendedLion,
  muon: intendedMuon,
  adafactor: intendedAdafactor,
};

/** The intended step that accompanies a recipe. */
export function intended({ optimizer, meant, kept }: Pick<Recipe, "optimizer" | "meant" | "kept">): Intended {
  return {
    optimizer,
    name: "intended",
    of: "the update that is meant, in fp32",
    source: "the fp32 recipe of the optimizer",
    releases: "any",
    verified: "by definition",
    scheme: "master",
    moments: fp32Moments,
    carriers: [{ name: "P", from: "weight" }],
    ...(kept && { kept }),
    ...(meant ?? lines[optimizer]),
  };
}
