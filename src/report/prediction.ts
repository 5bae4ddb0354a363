import { printable } from "../lens/printable.js";
import type { Knowledge, PredictionResult, Rule, RuleOutcome } from "../lens/study/prediction.js";
import { type Column, fitted, wrap } from "./columns.js";
import { csv } from "./csv.js";
import { escaped, table } from "./markdown-text.js";
import { counted, percent, share } from "./numbers.js";
import { leftOutSentences, skippedLines } from "./skipped.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

const known: Readonly<Record<Knowledge, string>> = { moments: "m and v", gradient: "the update" };

/** How well changes can be told, as text for a terminal. */
export function renderPredictionTable(result: PredictionResult, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const { rules, weightSteps, skipped } = result;
  const width = Math.min(terminal.columns, 100);
  const column = (heading: string, cells: readonly string[]) => ({ heading, align: "right", cells }) as const;
  const columns: Column[] = [
    { heading: "rule", align: "left", cells: rules.map(({ rule }) => rule) },
    { heading: "given", align: "left", cells: rules.map(({ knows }) => known[knows]) },
    column(
      "named",
      rules.map(({ predicted }) => percent(share(predicted, weightSteps))),
    ),
    column(
      "recall",
      rules.map(({ recall }) => percent(recall)),
    ),
    column(
      "precision",
      rules.map(({ precision }) => percent(precision)),
    ),
  ];
  const blocks = [
    predictionHeadline(result).flatMap((sentence) => wrap(sentence, width)),
    fitted(columns, terminal.columns, bold),
    wrap(predictionNote, width).map(dim),
    skipped.length > 0
      ? skippedLines(skipped)
          .flatMap((line) => wrap(line, width))
          .map(dim)
      : [],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** What is found by the rule that is used, and by one that knows more. */
export function predictionHeadline({
  format,
  input,
  changed,
  weightSteps,
  rules,
  skipped,
}: PredictionResult): string[] {
  const recall = (rule: Rule, knows: Knowledge) =>
    percent(rules.find((outcome) => outcome.rule === rule && outcome.knows === knows)?.recall ?? null);
  const reach = rules.find(({ rule }) => rule === "reach")!;
  return [
    ...leftOutSentences(skipped, input.elements),
    `The ulp rule on Adam's moments finds ${recall("ulp-rule", "moments")} of the weights that the next step changes.`,
    `Of ${counted(input.elements, "weight")} stored as ${printable(format)} from an fp32 master, ${percent(share(changed, weightSteps))} changed in a ` +
      `step. Knowing what the master holds back, the moments find ${recall("residual", "moments")}; with the update itself, ` +
      `${recall("residual", "gradient")}. All that a gradient can reach is ${percent(share(reach.predicted, weightSteps))} of the weights, ` +
      `and ${percent(reach.recall)} of those that change.`,
  ];
}

/** A rule and what it is given. */
export function ruleLabel({ rule, knows }: Pick<RuleOutcome, "rule" | "knows">): string {
  return `${rule}, given ${known[knows]}`;
}

export const predictionNote =
  "Named: of all weight-steps, those that a rule says will change. Recall: of those that changed, the share it named. " +
  "Precision: of those it named, the share that changed. Reach: a weight that any gradient of up to 4 standard deviations would change.";

/** One row a rule. */
export function renderPredictionCsv({ rules, weightSteps, changed }: PredictionResult): string {
  const heading = ["rule", "knows", "weightSteps", "changed", "predicted", "right", "recall", "precision"];
  const rows = rules.map(({ rule, knows, predicted, right, recall, precision }) =>
    [rule, knows, weightSteps, changed, predicted, right, recall ?? "", precision ?? ""].map(String),
  );
  return csv([heading, ...rows]);
}

export function renderPredictionMarkdown(result: PredictionResult): string {
  const rows = result.rules.map(({ predicted, recall, precision, ...rule }) => [
    ruleLabel(rule),
    percent(share(predicted, result.weightSteps)),
    percent(recall),
    percent(precision),
  ]);
  const text = table(["rule", "named", "recall", "precision"], rows);
  return `${["# Precision lens: prediction", ...predictionHeadline(result).map(escaped), text, predictionNote].join("\n\n")}\n`;
}
