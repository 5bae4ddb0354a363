import type { BlockFormat } from "../../format/block/block-format.js";
import { type ChangedCounts, mergedShared } from "../../lens/shared-tally.js";
import type { ExactSum } from "../../lens/sum.js";
import { causes, type EndTally, MomentTally, type Tally, type UpdateTally } from "../../lens/tally.js";
import type { BlockSettings } from "../../update/block-settings.js";
import type { Recipe } from "../../update/recipe/recipe.js";
import { schemes } from "../../update/scheme.js";
import type { momentCounts } from "../lane/recipe-step.js";
import type { WebGpuSettings } from "./admission.js";
import {
  binClasses,
  binsOf,
  digits,
  endCounts,
  endSums,
  isRun,
  lowestExponent,
  type RecipeCount,
  recipeCounts,
  type SharedCount,
  sharedCounts,
  stepCounts,
  stepCountsOf,
  stepSums,
} from "./layout.js";
import type { ScalesOfPiece } from "./scale-tables.js";

/** The counts of a piece, read back from the device, are added to tallies here. */

/** The number of zeros that pad `elements` to a multiple of eight. */
export function paddingOf(elements: number): number {
  return (8 - (elements % 8)) % 8;
}

/** Adds the row of a step of `elements` weights. */
export function addStep(
  row: Uint32Array,
  elements: number,
  settings: WebGpuSettings,
  tally: UpdateTally,
  scales: ScalesOfPiece | null = null,
): void {
  const count = (name: (typeof stepCounts)[number]) => row[stepCounts.indexOf(name)];
  const none = count("zero") - paddingOf(elements);
  const sums = stepCountsOf(settings).length;
  if (settings.blocks) addShared(row, settings, scales!, tally);
  tally.none += none;
  tally.moved += count("moved");
  tally.kept += count("kept");
  tally.nonfinite += count("nonfinite");
  tally.lost += elements - none - count("moved") - count("kept") - count("nonfinite");
  for (const [i, name] of stepSums.entries()) addDigits(row, sums + i * digits, tally[name]);
}

/** Adds the counts of shared scales in the row of a step, and subtracts collateral changes from the classes. */
function addShared(
  row: Uint32Array,
  { blocks }: BlockSettings,
  scales: ScalesOfPiece,
  tally: UpdateTally,
): void {
  const count = (name: SharedCount) => row[stepCounts.length + sharedCounts.indexOf(name)];
  const [collateral, zeros] = [count("collateral"), count("collateralZeros")];
  tally.collateral += collateral;
  tally.collateralZeros += zeros;
  tally.none -= zeros;
  tally.moved -= collateral - zeros;
  tally.shared = mergedShared(tally.shared, {
    ...changedOf(blocks, scales, count),
    clipped: count("clipped"),
    flushed: count("flushed"),
  });
}

/** The changed codes and scales, and their bits. */
function changedOf(
  { element, scale }: BlockFormat,
  { blocks, tensors }: ScalesOfPiece,
  count: (name: "codes" | "blockScales" | "tensorScales") => number,
): ChangedCounts {
  const [codes, blockScales] = [count("codes"), count("blockScales")];
  // Every piece of a tensor finds that its scale changed; only the first counts it.
  const tensorScales = tensors * count("tensorScales");
  const bits = codes * element.bits + blockScales * scale.bits + tensorScales * 32;
  return { codes, blocks, blockScales, tensors, tensorScales, bits };
}

/** The number of weights that differ from those of the job's first case after a step. */
export function partedOf(row: Uint32Array): number {
  return row[stepCounts.length + recipeCounts.indexOf("parted")];
}

/** Adds the causes and moments in the row of a recipe step. */
export function addRecipe(
  row: Uint32Array,
  elements: number,
  { moments }: Recipe,
  { recipe: tally }: Tally,
): void {
  const count = (name: RecipeCount) => row[stepCounts.length + recipeCounts.indexOf(name)];
  for (const cause of causes) tally.causes[cause] += count(cause);
  tally.causes.gradient -= paddingOf(elements);
  tally.mergeMoments(
    moments.map(({ name }, m) => {
      const countOf = (counted: (typeof momentCounts)[number]) => count(`${momentWords[m]} ${counted}`);
      const moment = new MomentTally(name);
      moment.none = countOf("zero") - paddingOf(elements);
      moment.moved = countOf("moved");
      moment.kept = countOf("kept");
      moment.nonfinite = countOf("nonfinite");
      moment.lost = elements - moment.none - moment.moved - moment.kept - moment.nonfinite;
      return moment;
    }),
  );
}
const momentWords = ["first", "second"] as const;

/** Adds the counts of the ulp rule in the row of a step. */
export function addRule(row: Uint32Array, elements: number, { probes }: Tally): void {
  const count = (name: (typeof stepCounts)[number]) => row[stepCounts.indexOf(name)];
  const sized = elements - (count("zero") - paddingOf(elements)) - count("nonfinite");
  const [rule, ruleMoved] = [count("rule"), count("ruleMoved")];
  probes.ulpRule += rule;
  probes.ulpRuleMoved += ruleMoved;
  probes.ulpRuleUnmoved += sized - rule - (count("moved") - ruleMoved);
}

/** Adds the row of a comparison of `elements` weights with the start. */
export function addEnd(
  row: Uint32Array,
  elements: number,
  settings: WebGpuSettings,
  tally: EndTally,
  scales: ScalesOfPiece | null = null,
): void {
  const count = (name: (typeof endCounts)[number]) => row[endCounts.indexOf(name)];
  const padding = paddingOf(elements);
  tally.addUnchanged(count("unchanged") - padding, count("still") - padding, count("neverUpdated") - padding);
  tally.returned += count("returned");
  tally.nonfinite += count("nonfinite");
  if (settings.blocks) {
    tally.shared = mergedShared(tally.shared, changedOf(settings.blocks, scales!, count));
  }
  for (const name of endSums) {
    const from = countedAs(name, settings);
    if (from !== null) addDigits(row, endCounts.length + endSums.indexOf(from) * digits, tally[name]);
  }
}

/**
 * The device's sum that equals a sum of the tally; null if that is zero. A weight without carrier retains its
 * visible displacement, a scheme's master that of the fp32 run.
 */
function countedAs(name: (typeof endSums)[number], settings: WebGpuSettings) {
  const isWeight = schemes[settings.scheme].holds === "weight";
  if (name === "retainedProduct" && isWeight) return "product";
  if (name === "retainedProduct" && isRun(settings)) return "displacementSquared";
  return name === "noiseSquared" && isRun(settings) ? null : name;
}

/** Adds the other counts in the row of the end: elements, altered weights and probes. */
export function addTensor(row: Uint32Array, elements: number, tally: Tally): void {
  const count = (name: (typeof endCounts)[number]) => row[endCounts.indexOf(name)];
  tally.elements += elements;
  tally.castChanged += count("castChanged");
  tally.probes.pathNotTaken += count("pathNotTaken") - paddingOf(elements);
  tally.probes.smallSubnetworks += count("smallSubnetworks") - paddingOf(elements);
}

/** Adds the histogram of a piece: two words per bin. */
export function addHistogram(words: Uint32Array, settings: WebGpuSettings, { histogram }: Tally): void {
  const { first, count } = binsOf(settings);
  for (const [c, className] of binClasses.entries()) {
    for (let bin = 0; bin < count; bin++) {
      const at = 2 * (c * count + bin);
      const counted = words[at] + words[at + 1] * 2 ** 32;
      if (counted > 0) histogram.add(className, first + bin, counted);
    }
  }
}

function addDigits(row: Uint32Array, at: number, sum: ExactSum): void {
  for (let i = 0; i < digits; i++) {
    const digit = row[at + i] | 0;
    if (digit !== 0) sum.add(digit * 2 ** (lowestExponent + 16 * i));
  }
}
