import type { Result } from "../lens/result.js";
import { caseInWords, stepsInWords } from "./labels.js";
import { percent, share, shareOfWeights } from "./numbers.js";

/** The answer in two sentences, of the first case: real against apparent sparsity, and the lens's share of it. */
export function headline(result: Result): string[] {
  const [first] = result.cases;
  const { totals, end } = first;
  if (totals.apparentSparsity === null) return ["No update was finite: nothing can be said of sparsity."];
  const hidden = share(end.hidden, end.unchanged);
  return [
    `Stored as ${caseInWords(first)}, ${percent(totals.apparentSparsity)} of the updates changed no stored bit; ` +
      (totals.none === 0 ? "none was really zero." : `${percent(totals.realSparsity)} were really zero.`),
    `After ${stepsInWords(result)} ${percent(shareOfWeights(first, end.unchanged))} of the weights ` +
      "are bit for bit what they were" +
      (hidden === null ? "." : `; ${percent(hidden)} of these an fp32 run would have changed.`),
  ];
}
