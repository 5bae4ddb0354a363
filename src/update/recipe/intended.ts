import { intendedAdamw } from "./adamw.js";
import { intendedLion, intendedSgd } from "./momentum.js";
import type { Lines, OptimizerName, Recipe } from "./recipe.js";

/**
 * The update that a step is meant to make, whatever storage makes of it: the step in fp32 from a given weight P and
 * moments M and V, as an update u apart from the weight, so that fp32 does not swallow it either. Beside u it leaves
 * its parts, `adaptive` (from the gradients) and `shrink` (weight decay); `unguarded`, what u would be without
 * epsilon; and the moments as they are meant to become.
 */
export type Intended = Recipe;

const lines: Readonly<Record<OptimizerName, Lines>> = {
  adamw: intendedAdamw,
  sgd: intendedSgd,
  lion: intendedLion,
};

/** The intended step beside a recipe. */
export function intended({ optimizer, meant }: Pick<Recipe, "optimizer" | "meant">): Intended {
  return {
    optimizer,
    name: "intended",
    of: "the update that is meant, in fp32",
    verified: "by definition",
    scheme: "master",
    moments: [
      { name: "M", of: "M" },
      { name: "V", of: "V" },
    ],
    carriers: [{ name: "P", from: "weight" }],
    ...(meant ?? lines[optimizer]),
  };
}
