import { sharesScales } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";

/** Why kernels from the texts of this folder do not take such cases, in a few words, or null. */
export function refusal(cases: readonly CaseSettings[]): string | null {
  for (const settings of cases) {
    if ("recipe" in settings) return "it takes recorded updates, not gradients by a recipe";
    if (sharesScales(settings))
      return `it takes no formats with shared scales, such as ${settings.blocks.name}`;
    const { format, opmath, rounding } = settings;
    // Rounding to odd in between keeps one rounding one only where two bits are left (arithmetic.ts).
    if (opmath === "exact" && (rounding === "stochastic" || format.precision > 22)) {
      return "under exact opmath it takes neither stochastic rounding nor more than 22 significand bits";
    }
    // Stored weights are fp32 numbers.
    if (format.minPositive < 2 ** -149) return `${format.name} has numbers that fp32 has not`;
  }
  return null;
}
