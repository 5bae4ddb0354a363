import { blockFormat, rulesOf } from "../../format/block/block-format.js";
import { type ScaleRuleName, scaleRules } from "../../format/block/scale-rule.js";
import { choiceField, type Fields, numberField } from "../location.js";

/** Formats whose blocks lie along a row and are not longer than the weights that are shown. */
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

/** All that the address says of the view of one block. */
export interface BlockViewState {
  readonly format: ShownFormat;
  /** One that the format does not have is its default. */
  readonly rule: ScaleRuleName;
  readonly scheme: (typeof shownSchemes)[number];
  /** Of the largest weight; all others are zero. */
  readonly u: number;
}

/** Larger by more than one percent: enough for the default format and rule to double the scale. */
export const usualUpdate = 0.003;

export const blockFields: Fields<BlockViewState> = {
  format: choiceField(shownFormats, "mxfp4"),
  rule: choiceField(Object.keys(scaleRules) as ScaleRuleName[], "floor"),
  scheme: choiceField(shownSchemes, "master"),
  u: numberField(usualUpdate, -1, 1),
};

/** The name of a format with its rule, which is the format's default where it has no such rule. */
export function formatName({ format, rule }: Pick<BlockViewState, "format" | "rule">): string {
  return rulesOf(blockFormat(format)).includes(rule) ? `${format}:${rule}` : format;
}
