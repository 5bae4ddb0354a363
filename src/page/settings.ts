import { formats } from "../format/registry.js";
import { roundings } from "../format/round.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import type { Storage } from "./tensor/run.js";

/** The options of the page's selects and their texts. */

export interface Option {
  readonly value: string;
  readonly label: string;
}

export const formatNames = [...formats.keys()];
export const formatOptions: readonly Option[] = formatNames.map((value) => ({ value, label: value }));

/** Short, as they are in labels of a few pixels too. */
const schemeLabels: Readonly<Record<SchemeName, string>> = {
  "in-place": "in-place",
  master: "fp32 master",
  kahan: "Kahan",
  "two-term": "two-term",
};
export const schemeOptions: readonly Option[] = schemeNames.map((value) => ({
  value,
  label: schemeLabels[value],
}));
export const roundingOptions: readonly Option[] = roundings.map((value) => ({
  value,
  label: value.replaceAll("-", " "),
}));

/** "bf16 in-place", "bf16 stochastic" */
export function storageWords({ format, scheme, rounding }: Storage): string {
  if (scheme === "in-place" && rounding === "stochastic") return `${format} stochastic`;
  const beside = scheme === "master" || scheme === "kahan" ? "+ " : "";
  return `${format} ${beside}${schemeLabels[scheme]}${rounding === "nearest-even" ? "" : `, ${rounding.replaceAll("-", " ")}`}`;
}
