import { printable } from "../lens/printable.js";
import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import type { SweepCase } from "../lens/study/sweep.js";

/**
 * Labels that distinguish the cases of a result: format and scheme, with rounding and opmath if not the default; or the
 * recipe, with a star if it was not compared with its framework.
 */
export function caseLabels(cases: readonly Case[]): string[] {
  return cases.map(caseLabel);
}

/** The label of one case. */
export function caseLabel({
  format,
  scheme,
  rounding,
  opmath,
  through,
  scales,
  recipe = null,
}: SweepCase & Partial<Pick<Case, "recipe">>): string {
  const words = [printable(format)];
  if (recipe) {
    if (recipe.name !== format) words.push(printable(recipe.name));
    return words.join(" ") + (recipe.verified === null ? "*" : "");
  }
  // Stochastic rounding in-place is known by its own name.
  if (scheme !== "in-place" || rounding !== "stochastic") words.push(scheme);
  if (rounding !== "nearest-even") words.push(rounding);
  if (opmath !== "fp32") words.push(opmath);
  if (through !== undefined) words.push(`through ${printable(through)}`);
  if (scales !== undefined) words.push(`scales ${printable(scales)}`);
  return words.join(" ");
}

/** A case as in a sentence: "bf16 in-place". */
export function caseInWords({ recipe, ...stored }: Case): string {
  if (recipe) return `${printable(stored.format)} by the recipe ${printable(recipe.name)}`;
  return schemeInWords(stored);
}

/** The same for a case with a scheme. */
export function schemeInWords({
  format,
  scheme,
  rounding,
  through,
  scales,
}: Readonly<Record<"format" | "scheme" | "rounding", string>> & Pick<Case, "through" | "scales">): string {
  const how = {
    "in-place": "in-place",
    master: "with an fp32 master",
    kahan: "with Kahan compensation",
    eco: "in-place with its rounding errors in the momentum (ECO)",
  };
  const scheming = how[scheme as keyof typeof how] ?? `under ${scheme}`;
  const first =
    (through === undefined ? "" : `, through ${printable(through)}`) +
    (scales === undefined ? "" : `, its scales ${printable(scales)}`);
  return `${printable(format)} ${scheming}${first}${rounding === "nearest-even" ? "" : ` with ${rounding} rounding`}`;
}

/** "8 steps", with their numbers if not counted from 0. */
export function stepsInWords({ input }: Result): string {
  const { stepNumbers } = input;
  const [first] = stepNumbers;
  const plain = stepNumbers.length === 1 ? "1 step" : `${stepNumbers.length} steps`;
  return first > 0 ? `${plain} (${first} to ${stepNumbers.at(-1)})` : plain;
}
