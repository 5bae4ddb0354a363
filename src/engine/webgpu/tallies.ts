import type { BlockFormat } from "../../format/block/block-format.js";
import { type ChangedCounts, mergedShared } from "../../lens/shared-tally.js";
import type { ExactSum } from "../../lens/sum.js";
import { causes, type EndTally, MomentTally, type Tally, type UpdateTally } from "../../lens/tally.js";
import { type BlockSettings, sharesScales } from "../../update/block-settings.js";
import type { Recipe } from "../../update/recipe/recipe.js";
import { schemes } from "../../update/scheme.js";
import type { momentCounts } from "../lane/recipe-step.js";
import type { LaneSettings } from "../lane/refusal.js";
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

/** What kernels counted of a piece, from words that were read back. */

/** Zeros that fill the last group of eight elements of so many. */
export function paddingOf(elements: number): number {
  return (8 - (elements % 8)) % 8;
}

/** Adds a row of a step of `elements` weights; tells how many updates of each kind the ulp rule judged. */
export function addStep(
  row: Uint32Array,
  elements: number,
  settings: LaneSettings,
  tally: UpdateTally,
  scales: ScalesOfPiece | null = null,
): void {
  const count = (name: (typeof stepCounts)[number]) => row[stepCounts.indexOf(name)];
  const none = count("zero") - paddingOf(elements);
  const sums = stepCountsOf(settings).length;
  if (sharesScales(settings)) addShared(row, settings, scales!, tally);
  tally.none += none;
  tally.moved += count("moved");
  tally.kept += count("kept");
  tally.nonfinite += count("nonfinite");
  tally.lost += elements - none - count("moved") - count("kept") - count("nonfinite");
  for (const [i, name] of stepSums.entries()) addDigits(row, sums + i * digits, tally[name]);
}

/** Adds what a row of a step counted where scales are shared, and takes from the classes what is `collateral`. */
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

/** What changed of codes and scales. */
function changedOf(
  { element, scale }: BlockFormat,
  { blocks, tensors }: ScalesOfPiece,
  count: (name: "codes" | "blockScales" | "tensorScales") => number,
): ChangedCounts {
  const [codes, blockScales] = [count("codes"), count("blockScales")];
  // Every piece of a tensor finds its scale changed; it is counted with the first.
  const tensorScales = tensors * count("tensorScales");
  const bits = codes * element.bits + blockScales * scale.bits + tensorScales * 32;
  return { codes, blocks, blockScales, tensors, tensorScales, bits };
}

/** Weights that a step left as others than the job's first case has. */
export function partedOf(row: Uint32Array): number {
  return row[stepCounts.length + recipeCounts.indexOf("parted")];
}

/** Adds what a row of a step by a recipe counted of causes and moments. */
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

/** Adds what a row of a step counted of the ulp rule. */
export function addRule(row: Uint32Array, elements: number, { probes }: Tally): void {
  const count = (name: (typeof stepCounts)[number]) => row[stepCounts.indexOf(name)];
  const sized = elements - (count("zero") - paddingOf(elements)) - count("nonfinite");
  const [rule, ruleMoved] = [count("rule"), count("ruleMoved")];
  probes.ulpRule += rule;
  probes.ulpRuleMoved += ruleMoved;
  probes.ulpRuleUnmoved += sized - rule - (count("moved") - ruleMoved);
}

/** Adds a row of a comparison with the start of `elements` weights. */
export function addEnd(
  row: Uint32Array,
  elements: number,
  settings: LaneSettings,
  tally: EndTally,
  scales: ScalesOfPiece | null = null,
): void {
  const count = (name: (typeof endCounts)[number]) => row[endCounts.indexOf(name)];
  const padding = paddingOf(elements);
  const unchanged = count("unchanged") - padding;
  const still = count("still") - padding;
  const neverUpdated = count("neverUpdated") - padding;
  tally.unchanged += unchanged;
  tally.neverUpdated += neverUpdated;
  tally.cancelled += still - neverUpdated;
  tally.hidden += unchanged - still;
  tally.returned += count("returned");
  tally.nonfinite += count("nonfinite");
  if (sharesScales(settings)) {
    tally.shared = mergedShared(tally.shared, changedOf(settings.blocks, scales!, count));
  }
  for (const name of endSums) {
    const from = countedAs(name, settings);
    if (from !== null) addDigits(row, endCounts.length + endSums.indexOf(from) * digits, tally[name]);
  }
}

/** The sum on the device that a sum is: a weight that holds all retains what it shows, a scheme's master all of the fp32 run. */
function countedAs(name: (typeof endSums)[number], settings: LaneSettings) {
  const isWeight = schemes[settings.scheme].holds === "weight";
  if (name === "retainedProduct" && isWeight) return "product";
  if (name === "retainedProduct" && isRun(settings)) return "displacementSquared";
  return name === "noiseSquared" && isRun(settings) ? null : name;
}

/** Adds what the row of the end counted beside the end itself. */
export function addTensor(row: Uint32Array, elements: number, tally: Tally): void {
  const count = (name: (typeof endCounts)[number]) => row[endCounts.indexOf(name)];
  tally.elements += elements;
  tally.castChanged += count("castChanged");
  tally.probes.pathNotTaken += count("pathNotTaken") - paddingOf(elements);
  tally.probes.smallSubnetworks += count("smallSubnetworks") - paddingOf(elements);
}

/** Adds the histogram of a piece: two words a bin. */
export function addHistogram(words: Uint32Array, settings: LaneSettings, { histogram }: Tally): void {
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
