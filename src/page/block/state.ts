import { blockFormat, rulesOf } from "../../format/block/block-format.js";
import { type ScaleRuleName, scaleRules } from "../../format/block/scale-rule.js";
import { choiceField, type Fields, numberField } from "../location.js";

/** Formats whose blocks are along a row and not longer than the number of weights shown. */
export const shownFormats = [
  "mxfp4",
  "mxfp6-e2m3",
  "mxfp6-e3m2",
  "mxfp8-e4m3",
  "mxfp8-e5m2",
  "nvfp4",
] as const;
export type ShownFormat = (typeof shownFormats)[number];

export const shownSchemes = ["master", "in-place"] as const;

/** The state of the block view in the address. */
export interface BlockViewState {
  readonly format: ShownFormat;
  /** A rule that the format does not have means its default. */
  readonly rule: ScaleRuleName;
  readonly scheme: (typeof shownSchemes)[number];
  /** The update of the largest weight; all others are zero. */
  readonly u: number;
}

/** More than one percent of the weight: enough to double the scale with the default format and rule. */
export const usualUpdate = 0.003;

export const blockFields: Fields<BlockViewState> = {
  format: choiceField(shownFormats, "mxfp4"),
  rule: choiceField(Object.keys(scaleRules) as ScaleRuleName[], "floor"),
  scheme: choiceField(shownSchemes, "master"),
  u: numberField(usualUpdate, -1, 1),
};

/** The name of a format with its rule, or with its default rule if it has no such rule. */
export function formatName({ format, rule }: Pick<BlockViewState, "format" | "rule">): string {
  return rulesOf(blockFormat(format)).includes(rule) ? `${format}:${rule}` : format;
}
