import { laneCount } from "../../lens/sum.js";
import type { BlockSettings } from "../../update/block-settings.js";
import type { CaseSettings, RecipeSettings } from "../../update/optimizer.js";
import type { UpdateSettings } from "../../update/settings.js";
import type { LensJob } from "../engine.js";
import { RecipeScalars } from "./recipe-scalars.js";

/** The cases for which kernels can be written. */
export type LaneSettings = UpdateSettings | RecipeSettings;

export interface LaneJob extends LensJob {
  readonly cases: readonly LaneSettings[];
}

/**
 * Why the kernels of this folder do not support such cases, in a few words, or null.
 *
 * @param ofBlocks why an engine does not support weights that share scales, for which it has kernels of its own.
 */
export function refusal(
  cases: readonly CaseSettings[],
  ofBlocks: (settings: BlockSettings) => string | null = noBlocks,
): string | null {
  for (const settings of cases) {
    if (settings.blocks) {
      const reason = ofBlocks(settings);
      if (reason !== null) return reason;
      continue;
    }
    const { format, opmath, rounding } = settings;
    if (settings.recipe) {
      const reason = unwritable(settings);
      if (reason !== null) return reason;
    }
    // Rounding to odd first is exact only if the final format has at least two bits less (arithmetic.ts).
    if (opmath === "exact" && (rounding === "stochastic" || format.precision > 22)) {
      return "under exact opmath it takes neither stochastic rounding nor more than 22 significand bits";
    }
    // Stored weights are fp32 numbers.
    if (format.minPositive < 2 ** -149) return `fp32 does not hold all numbers of ${format.name}`;
  }
  return null;
}

function noBlocks({ blocks }: BlockSettings): string {
  return `it takes no formats with shared scales, such as ${blocks.name}`;
}

/** Why no kernel can be written for a recipe, or null. */
function unwritable(settings: RecipeSettings): string | null {
  const { name, tail, whole } = settings.recipe;
  if (whole) return `recipe ${name} takes ${whole.what}: it is counted by the reference engine`;
  // All weights of a group run the same code.
  if (tail && tail.block % laneCount !== 0) return `recipe ${name}: a tail of blocks of ${tail.block}`;
  try {
    new RecipeScalars([settings]);
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}
