import { type BlockFormat, blockFormat, isBlockFormat } from "../format/block/block-format.js";
import { format as formatNamed } from "../format/registry.js";
import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import type { NumberTable } from "./charts/figure.js";
import { caseLabel, caseLabels } from "./labels.js";
import { missing, sampleOf, share, shareOfWeights } from "./numbers.js";

/** Results of formats with shared scales: changes of codes and scales besides those of numbers. */

/** Whether a case is stored with shared scales. */
export function sharesScales({ totals }: Pick<Case, "totals">): boolean {
  return totals.shared !== undefined;
}

/** Whether any weight-step of these cases changed only by its scale. */
export function hasCollateral(cases: readonly Pick<Case, "totals">[]): boolean {
  return cases.some(({ totals }) => totals.collateral > 0);
}

/** The number of nonzero updates. */
export function sizedUpdates({ none, lost, kept, moved, collateral, zeros }: Case["totals"]): number {
  return lost + kept + moved + collateral - (zeros - none);
}

/** The share of the nonzero updates. */
export function shareOfSized(totals: Case["totals"], part: number): number | null {
  return share(part, sizedUpdates(totals));
}

/** The collateral weight-steps with a nonzero update. */
export function collateralSized({ collateral, zeros, none }: Case["totals"]): number {
  return collateral - (zeros - none);
}

/**
 * Changes of codes, scales and numbers, one row per case: of an average step and of the end. Null if no case shares
 * scales. A format without scales sends its numbers.
 */
export function sharedTable(result: Result): NumberTable | null {
  const { cases } = result;
  if (!cases.some(sharesScales)) return null;
  const labels = caseLabels(cases);
  return {
    headings: [
      ...["a step changes", "codes", "scales", "tensor", "numbers"],
      ...["clipped", "to zero", "sent", "end: codes", "numbers"],
    ],
    rows: cases.map((caseResult, i) => [labels[i], ...cells(caseResult)]),
  };
}

export const sharedNote =
  "A number is its code times the scales of its block and its tensor: by number much may change where next to no code does. " +
  "Clipped: beyond the largest element; to zero: not zero, and stored as zero. Sent: the bits of the codes and scales that " +
  "changed, without their places, of all bits that are stored. End: against the start. A code changes too where only the " +
  "sign of a zero does.";

function cells({ format, totals, end }: Case): string[] {
  const { elements, steps, shared, moved, collateral } = totals;
  const weightSteps = elements * steps;
  const numbers = share(moved + collateral, weightSteps);
  const endNumbers = shareOfWeights({ totals, end }, elements - end.nonfinite - end.unchanged);
  if (shared === undefined) {
    const codes = finePercent(numbers);
    return [
      codes,
      missing,
      missing,
      codes,
      missing,
      missing,
      codes,
      ...Array(2).fill(finePercent(endNumbers)),
    ];
  }
  const known = isBlockFormat(format) ? blockFormat(format) : null;
  return [
    finePercent(share(shared.codes, weightSteps)),
    finePercent(share(shared.blockScales, shared.blocks)),
    finePercent(share(shared.tensorScales, shared.tensors)),
    finePercent(numbers),
    finePercent(share(shared.clipped, weightSteps)),
    finePercent(share(shared.flushed, weightSteps)),
    known === null ? missing : finePercent(share(shared.bits, storedBits(shared, weightSteps, known))),
    end.shared === undefined ? missing : finePercent(share(end.shared.codes, elements)),
    finePercent(endNumbers),
  ];
}

function storedBits(
  { blocks, tensors }: NonNullable<Case["totals"]["shared"]>,
  weightSteps: number,
  { element, scale }: BlockFormat,
): number {
  return weightSteps * element.bits + blocks * scale.bits + tensors * formatNamed("fp32").bits;
}

/** A share with two significant digits. */
export function finePercent(part: number | null): string {
  if (part === null) return missing;
  if (part === 0) return "0%";
  if (part === 1) return "100%";
  const digits = (100 * part).toPrecision(2);
  // Only exact 1 reads as 100%.
  if (Number(digits) === 100) return ">99%";
  return `${Number(digits) < 1e-6 ? Number(digits).toExponential() : Number(digits)}%`;
}

/** For each format with shared scales, the changes of a step by code and by number. */
export function sharedSentences({ cases, ...result }: Result): string[] {
  const sharing = cases.filter(sharesScales);
  // The blocks of a sample are not those of the model, and shares have intervals.
  if (sharing.length === 0 || sampleOf(result) !== undefined) return [];
  const parts = sharing.map((caseResult) => {
    const { elements, steps, shared, moved, collateral } = caseResult.totals;
    const all = elements * steps;
    return (
      `${finePercent(share(shared!.codes, all))} of the codes of ${caseLabel(caseResult)} and ` +
      `${finePercent(share(moved + collateral, all))} of its numbers (${finePercent(share(collateral, all))} by a scale alone)`
    );
  });
  return [`On average a step changes ${parts.join("; ")}.`];
}
