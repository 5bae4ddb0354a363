/** The library, without file system, command line or DOM: it runs in browsers. */

export {
  type ArrayOptions,
  type CodeArray,
  decodeArray,
  encodeArray,
  type NumberArray,
  roundArray,
} from "./engine/arrays.js";
export { type LensOptions, lens, type WeightArray } from "./engine/lens.js";
export { type BlockFormat, blockFormat, blockFormats } from "./format/block/block-format.js";
export { dequantize, type Quantized, type QuantizeOptions, quantize } from "./format/block/quantize.js";
export type { ScaleRule, ScaleRuleName, TensorScale } from "./format/block/scale-rule.js";
export { decode, decodeTable, encode } from "./format/encode.js";
export { defineFormat, type Format, type FormatParameters } from "./format/format.js";
export { nextDown, nextUp, ulp } from "./format/neighbours.js";
export {
  add,
  div,
  fma,
  mul,
  type OperationOptions,
  type Opmath,
  opmaths,
  sqrt,
  sub,
} from "./format/operations.js";
export { format, formats } from "./format/registry.js";
export {
  type Overflow,
  overflows,
  type Rounding,
  type RoundOptions,
  round,
  rounding,
  roundings,
  type ShortRounding,
} from "./format/round.js";
export { type Class, classes, classify } from "./lens/classify.js";
export { type Explanation, explain } from "./lens/explain/explain.js";
export {
  type BlockExplanation,
  type ExplainBlockOptions,
  explainBlock,
} from "./lens/explain/explain-block.js";
export type { Numeral } from "./lens/explain/numeral.js";
export type { SchemeOutlook } from "./lens/explain/outlook.js";
export type {
  MomentKind,
  SkippedTensor,
  StoredBytes,
  TensorInput,
  TensorOptimizer,
  Values,
} from "./lens/input.js";
export type * from "./lens/run/case.js";
export { mergeResults } from "./lens/run/merge.js";
export type * from "./lens/run/result.js";
export { mergeShards } from "./lens/shard/merge-shards.js";
export type { Part, PartRange } from "./lens/shard/part.js";
export type { ChangedCounts, SharedCounts } from "./lens/shared-tally.js";
export type { Spread } from "./lens/spread.js";
export { type ApplyOptions, applyUpdate } from "./update/apply.js";
export type { BlockSchemeName } from "./update/block-scheme.js";
export { type BlockOptions, type BlockSettings, schemeSettings } from "./update/block-settings.js";
export {
  adafactor,
  adam,
  adamw,
  type CaseSettings,
  lion,
  muon,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type RecipeSettings,
  recipeSettings,
  recipes,
  sgd,
} from "./update/optimizer.js";
export {
  type OptimizerName,
  type OptimizerSettings,
  type Recipe,
  verifiedIn,
} from "./update/recipe/recipe.js";
export { type SchemeName, schemeNames, type WeightState } from "./update/scheme.js";
export { type UpdateOptions, type UpdateSettings, updateSettings } from "./update/settings.js";
export { randomBits, stepKey, tensorKey, threefry2x32, type Words } from "./update/threefry.js";
