import type { DifferenceSide } from "../lens/difference/difference-result.js";
import type { SeriesDifference, SeriesResult } from "../lens/difference/series.js";
import { printable } from "../lens/printable.js";
import { tableOf } from "./blocks/block.js";
import type { NumberTable } from "./charts/figure.js";
import { type CsvColumn, cellsOf, csv, fields, headingsOf } from "./csv-text.js";
import { hiddenShare } from "./difference-cells.js";
import { nonfiniteShare } from "./nonfinite.js";
import { bytes, counted, percent, ratio, share } from "./numbers.js";
import { endOf } from "./shareable.js";
import { leftOutSentences } from "./skipped.js";

export function seriesSize({ input, steps }: SeriesResult): string {
  const [{ change }] = steps;
  const { elements, tensors } = change.totals;
  return `${counted(input.checkpoints.length, "checkpoint")}, ${counted(elements, "weight")} in ${counted(tensors, "tensor")}`;
}

export function seriesNote({ steps }: SeriesResult): string {
  return (
    `Unchanged: the same ${comparesCodes(steps) ? "code" : "number"} as in the checkpoint before; since start: as in the first. ` +
    "To send: index and value of what changed in the step, and that of the full size. How many weights were never updated, " +
    "checkpoints do not tell."
  );
}

/** Where weights share scales, their codes are compared: a scale changes many numbers at once. */
function comparesCodes([{ change }]: SeriesResult["steps"]): boolean {
  return change.totals.shared !== undefined;
}

/** The changes of each step, and their total. */
export function seriesHeadline({ steps, skipped }: SeriesResult): string[] {
  const last = steps[steps.length - 1].sinceStart.totals;
  const shares = steps.flatMap(({ change }) => changedShare(change) ?? []);
  const left = leftOutSentences(skipped, last.elements);
  if (shares.length === 0) return [...left, "No weight is finite in two checkpoints: nothing can be said."];
  const [least, most] = [Math.min(...shares), Math.max(...shares)].map(percent);
  const each = least === most ? `${least}` : `${least} to ${most}`;
  const changes = steps.reduce((sum, { change }) => sum + change.totals.changed, 0);
  const overlap = share(changes, last.changed);
  return [
    ...left,
    ...nonfiniteNote(steps),
    `Each step changed ${comparesCodes(steps) ? "the codes of " : ""}${each} of the weights; after ${counted(steps.length, "step")} ${percent(last.apparentSparsity)} ` +
      `${comparesCodes(steps) ? "have the codes that they had" : "are the numbers that they were"} at the start.`,
    ...(overlap === null || steps.length === 1
      ? []
      : [
          `The steps made ${counted(changes, "change")}, ${ratio(overlap)} for each weight that differs from the start: ` +
            "some change again, and some come back.",
        ]),
  ];
}

/** How many weights are in no share of a step at most, because they are NaN or Inf; none if all are finite. */
function nonfiniteNote(steps: SeriesResult["steps"]): string[] {
  const numbers = steps.map(({ change, sinceStart }) =>
    Math.max(change.totals.nonfinite, sinceStart.totals.nonfinite),
  );
  const most = Math.max(...numbers);
  if (most === 0) return [];
  const share = nonfiniteShare(most, steps[0].change.totals.elements);
  return [`${share} are NaN or Inf in step ${numbers.indexOf(most) + 1}. What follows is about the rest.`];
}

function changedShare({ totals: { apparentSparsity } }: SeriesDifference): number | null {
  return apparentSparsity === null ? null : 1 - apparentSparsity;
}

/** One row per step. */
export function seriesTable({ input, steps }: SeriesResult): NumberTable {
  const hidden = steps.some(({ change }) => change.totals.hidden !== null);
  type Step = (typeof steps)[number];
  return tableOf(steps, [
    ["step", (_, i) => String(i + 1)],
    ["checkpoint", (_, i) => shownName(input.checkpoints[i + 1])],
    ["unchanged", ({ change }) => percent(change.totals.apparentSparsity)],
    ...(hidden ? [["hidden", ({ change }: Step) => percent(hiddenShare(change.totals))] as const] : []),
    ["since start", ({ sinceStart }) => percent(sinceStart.totals.apparentSparsity)],
    ["to send", ({ change: { delta } }) => bytes(delta.indexValueBytes)],
    ["of full", ({ change: { delta } }) => percent(share(delta.indexValueBytes, delta.fullBytes))],
  ]);
}

const longestName = 18;

/** The end of a path, short enough for a table. */
export function shownName({ path }: DifferenceSide): string {
  const name = printable(endOf(path), 200).replace(/\.safetensors(\.index\.json)?$/, "");
  return name.length > longestName ? `${name.slice(0, 7)}…${name.slice(8 - longestName)}` : name;
}

const columns: readonly CsvColumn<SeriesDifference>[] = [
  ...fields(
    [
      ...(["elements", "nonfinite", "unchanged", "changed", "bytesChanged", "apparentSparsity"] as const),
      ...(["hidden", "realSparsityAtMost", "signFlips", "displacementNorm"] as const),
    ],
    ({ totals }: SeriesDifference) => totals,
  ),
  ...fields(
    ["indexValueBytes", "maskValueBytes", "fullBytes"],
    ({ delta }: SeriesDifference) => delta,
    "delta.",
  ),
];

/** Two rows per step: compared with the previous and with the first checkpoint. All digits; unknown is empty. */
export function renderSeriesCsv({ input, steps }: SeriesResult): string {
  const row = (step: number, before: number, difference: SeriesDifference) => [
    String(step),
    before === 0 && step > 1 ? "start" : "before",
    input.checkpoints[before].path,
    input.checkpoints[step].path,
    ...cellsOf(columns, difference),
  ];
  return csv([
    ["step", "against", "BEFORE", "AFTER", ...headingsOf(columns)],
    ...steps.flatMap(({ change, sinceStart }, i) => [
      row(i + 1, i, change),
      ...(i > 0 ? [row(i + 1, 0, sinceStart)] : []),
    ]),
  ]);
}

/** The apparent sparsity of each step by kind of module. */
export function kindTable({ input, steps }: SeriesResult): NumberTable {
  const kinds = [...new Set(steps.flatMap(({ change }) => change.kinds.map(({ kind }) => kind)))];
  return {
    headings: ["checkpoint", ...kinds],
    rows: steps.map(({ change }, i) => [
      shownName(input.checkpoints[i + 1]),
      ...kinds.map((kind) =>
        percent(change.kinds.find((ofKind) => ofKind.kind === kind)?.apparentSparsity ?? null),
      ),
    ]),
  };
}
