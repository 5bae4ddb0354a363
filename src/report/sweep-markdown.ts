import { caseOf, type SweepResult } from "../lens/sweep.js";
import { caseLabel } from "./labels.js";
import { table } from "./markdown.js";
import { count, missing, ratio } from "./numbers.js";
import { descentAt, rateText, sweepSentences } from "./sweep-table.js";

/** A sweep in Markdown: the answers, and progress by case and rate. */
export function renderSweepMarkdown(result: SweepResult): string {
  const { input, rates, cells, answers } = result;
  const steps = input.stepNumbers.length;
  const cases = cells.filter(({ rate }) => rate === rates[0]).map(caseOf);
  const learns = (i: number) => answers.learnsFrom[i].rate;
  const progress = table(
    ["stored as", "bits", "learns from", ...rates.map(rateText)],
    cases.map((of, i) => [
      caseLabel(of),
      String(answers.learnsFrom[i].bitsPerWeight),
      learns(i) === null ? missing : rateText(learns(i)!),
      ...rates.map((rate) => ratio(descentAt(cells, of, rate))),
    ]),
  );
  return [
    "# Precision lens: sweep",
    `${count(input.elements)} weights, ${count(steps)} steps at each of ${rates.length} rates.`,
    ...sweepSentences(result),
    progress,
    "Below each rate: progress, how far along the way of an fp32 run with the same updates the stored weights came.",
  ]
    .join("\n\n")
    .concat("\n");
}
