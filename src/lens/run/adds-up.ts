import type { DifferenceResult } from "../difference/difference-result.js";
import type { LensCounts } from "./case.js";
import type { Result } from "./result.js";

const classes = ["none", "lost", "kept", "moved", "collateral", "nonfinite"] as const;
const ofEnd = ["unchanged", "neverUpdated", "cancelled", "hidden", "returned", "nonfinite"] as const;
const ofDifference = ["elements", "unchanged", "changed", "nonfinite", "signFlips"] as const;

/**
 * The first inconsistent counts of a saved result, such as an edited or corrupted file: each weight has one
 * class at each step, and the tensors add up to the total. Otherwise sums over damaged shards would go
 * unnoticed.
 *
 * @returns where, and what was found; null if everything adds up.
 */
export function miscountOf({ cases }: Pick<Result, "cases">): string | null {
  for (const [i, caseResult] of cases.entries()) {
    const parts = [caseResult, ...caseResult.tensors];
    const wrong = parts.findIndex((part) => classSum(part) !== part.totals.elements * part.totals.steps);
    if (wrong >= 0) {
      const { elements, steps } = parts[wrong].totals;
      const where = wrong === 0 ? "totals" : `tensors/${wrong - 1}/totals`;
      return `/cases/${i}/${where}, whose classes are ${classSum(parts[wrong])} weight-steps, not ${elements} x ${steps}`;
    }
    const name =
      unlike(classes, caseResult.totals, caseResult.tensors, ({ totals }) => totals) ??
      unlike(ofEnd, caseResult.end, caseResult.tensors, ({ end }) => end);
    if (name !== null) return `/cases/${i}, whose tensors do not sum to its "${name}"`;
  }
  return null;
}

/** The same of a comparison of two checkpoints. */
export function miscountOfDifference({
  totals,
  tensors,
}: Pick<DifferenceResult, "totals" | "tensors">): string | null {
  const wrong = [totals, ...tensors].findIndex(
    (counts) => counts.unchanged + counts.changed + counts.nonfinite !== counts.elements,
  );
  if (wrong >= 0) {
    return `/${wrong === 0 ? "totals" : `tensors/${wrong - 1}`}, which is not its unchanged, changed and nonfinite weights`;
  }
  const name = unlike(ofDifference, totals, tensors, (tensor) => tensor);
  return name === null ? null : `/totals, to whose "${name}" the tensors do not sum`;
}

function classSum({ totals }: Pick<LensCounts, "totals">): number {
  return classes.reduce((sum, name) => sum + totals[name], 0);
}

/** The first of these counts that is not the sum of the parts'. */
function unlike<Name extends string, Part>(
  names: readonly Name[],
  whole: Readonly<Record<Name, number>>,
  parts: readonly Part[],
  countsOf: (part: Part) => Readonly<Record<Name, number>>,
): Name | null {
  return (
    names.find((name) => parts.reduce((sum, part) => sum + countsOf(part)[name], 0) !== whole[name]) ?? null
  );
}
