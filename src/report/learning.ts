import type { LearnResult } from "../lens/learning/learning.js";
import { type Estimate, isFp32, type LearnRow, summaryOf } from "../lens/learning/learning-summary.js";
import { tableOf } from "./blocks/block.js";
import type { NumberTable } from "./charts/figure.js";
import { caseLabel } from "./labels.js";
import { learnGeometry, learnGeometryNote } from "./learning-geometry.js";
import { count, counted, missing } from "./numbers.js";
import { rateText } from "./sweep.js";

/** The abilities of a group's models and, if measured, the geometry of their changes. */
export function learnTables(result: LearnResult, rows: readonly LearnRow[]): NumberTable[] {
  return [abilityTable(result, rows), ...learnGeometry(rows)];
}

/** The answer: the way of storing that learns least of what fp32 learns, and where fp32 itself learns nothing. */
export function learnHeadline(result: LearnResult): string[] {
  const { input, settings, runs } = result;
  const [{ base }] = runs;
  const rows = summaryOf(result);
  const [least] = rows
    .flatMap((row) => (isFp32(row) || row.gain === null ? [] : [{ row, gain: row.gain.mean }]))
    .toSorted((a, b) => a.gain - b.gain);
  const what = ({ run, lr }: LearnRow) => `${run} at ${rateText(lr)}`;
  const ends = (row: LearnRow) => `ends below its base, at ${percents(row.passAt1.mean)}`;
  const fp32Sentences = rows
    .filter((row) => isFp32(row) && row.gain === null)
    .map((row) =>
      row.passAt1.mean < base.passAt[1]
        ? `In fp32, ${what(row)} ${ends(row)}: there is no gain of which others have a share.`
        : `In fp32, ${what(row)} does not end above its base with every seed: there is no gain of which others have a share.`,
    );
  const leastSentence =
    least &&
    `Stored as ${caseLabel(least.row)}, ${what(least.row)} ` +
      (least.gain < 0 ? `${ends(least.row)}.` : `learns ${percents(least.gain)} of what it learns in fp32.`);
  return [
    ...(leastSentence ? [leastSentence] : []),
    ...fp32Sentences,
    `A decoder of ${counted(input.elements, "weight")} that adds numbers, trained further for ${counted(settings.steps, "step")}; ` +
      `its base answers ${percents(base.passAt[1])} right.`,
  ];
}

export interface LearnGroup {
  readonly title: string;
  readonly rows: readonly LearnRow[];
}

/** Groups of comparable rows: of one kind of training and one rate. */
export function learnGroups(result: LearnResult): LearnGroup[] {
  const groups = new Map<string, LearnRow[]>();
  for (const row of summaryOf(result)) {
    const seeds = row.seeds > 1 ? `, ${row.seeds} seeds` : "";
    const title = `${row.run} at a learning rate of ${rateText(row.lr)}${seeds}`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups].map(([title, rows]) => ({ title, rows }));
}

/** If a task was held out, its result replaces the share of weights that move. */
function abilityTable({ runs }: LearnResult, rows: readonly LearnRow[]): NumberTable {
  const heldOut = runs[0].heldOut.map(
    ({ name }, i) => [name, (row: LearnRow) => within(row.heldOut[i].passAt1, 3)] as const,
  );
  const moved = ["moved a step", (row: LearnRow) => withinPercent(row.moved, 2)] as const;
  return tableOf(rows, [
    ["stored as", caseLabel],
    ["pass@1", ({ passAt1 }) => within(passAt1, 4)],
    [
      "of fp32's gain",
      (row) => (row.gain === null ? missing : isFp32(row) ? "100%" : withinPercent(row.gain)),
    ],
    ["pass@32", ({ passAt32 }) => within(passAt32, 5)],
    ["KL", ({ klForward }) => (klForward === null ? missing : within(klForward, 3))],
    ["unchanged", ({ unchanged }) => withinPercent(unchanged)],
    ...(heldOut.length > 0 ? heldOut : [moved]),
  ]);
}

/** "0.8452", or "0.8452 ± 0.0012" over seeds. */
function within({ mean, half }: Estimate, digits: number): string {
  return half === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${half.toFixed(digits)}`;
}

function withinPercent({ mean, half }: Estimate, digits = 1): string {
  const shown = (x: number) => (100 * x).toFixed(digits);
  return half === null ? `${shown(mean)}%` : `${shown(mean)} ± ${shown(half)}%`;
}

const percents = (share: number) => `${(100 * share).toFixed(1)}%`;

/** The meaning of the columns, with a separate paragraph for a geometry. */
export function learnNotes(result: LearnResult): string[] {
  const sentences = sentencesOf(result).join(" ");
  return result.runs.some((run) => run.geometry) ? [sentences, learnGeometryNote] : [sentences];
}

function sentencesOf({ input, settings, runs }: LearnResult): string[] {
  const [{ base, heldOut }] = runs;
  const divergence = runs.every(({ outcome }) => outcome.klForward !== null)
    ? [`KL: of the base to the model, in nats an answer, over ${count(settings.klPrompts)} prompts.`]
    : ["KL takes --kl."];
  const intervals = new Set(runs.map(({ seed }) => seed)).size > 1 ? ["±: 95% intervals over seeds."] : [];
  return [
    `Over all ${count(input.prompts)} prompts, exactly: the base has pass@1 ${base.passAt[1].toFixed(4)}, pass@32 ${base.passAt[32].toFixed(5)}.`,
    ...heldOut.map(
      ({ name, base: baseAbility }) =>
        `${name}: pass@1 of a task that is not trained; the base has ${baseAbility.passAt[1].toFixed(3)}.`,
    ),
    "Unchanged: weights that are at the end what they were.",
    ...divergence,
    ...intervals,
  ];
}
