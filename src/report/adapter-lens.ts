import { printable } from "../lens/printable.js";
import type { Case } from "../lens/run/case.js";
import type { MergedComparison, MergeLens, ModuleCounts } from "../lens/run/merge-lens.js";
import type { Result } from "../lens/run/result.js";
import type { Spread } from "../lens/spread.js";
import {
  type Block,
  inDocument,
  inMarkdown,
  note,
  onPage,
  onTerminal,
  section,
  table,
} from "./blocks/block.js";
import type { NumberTable } from "./charts/figure.js";
import { caseInWords, caseLabels } from "./labels.js";
import { count, counted, missing, percent, ratio, share } from "./numbers.js";
import { classHeading } from "./rounding-words.js";

/** The merge of a LoRA adapter in a report. */

/** Tables by module and layer, and of unmerging; a terminal shows the first case by module. */
export function adapterBlocks(result: Result): Block[] {
  if (result.merge === undefined) return [];
  const labels = caseLabels(result.cases);
  const notes = mergeNotes(result);
  const both = labels.map((_, i) => [table(kindTable(result, i)), table(mergedLayers(result, i))]);
  return [
    onTerminal(() => [table(kindTable(result, 0), { notes }), table(unmergeTable(result))]),
    inMarkdown(() => [
      ...labels.map((label, i) => section(`The adapter by module and layer: ${label}`, both[i])),
      note(...notes),
    ]),
    onPage(() => [
      section("The adapter by module and layer", [{ kind: "choice", labels, choices: both }, note(...notes)]),
    ]),
    inDocument(() => [section("After unmerging", [table(unmergeTable(result))])]),
  ];
}

/** The first case in sentences: loss, retained displacement, unmerging, comparison with a merged checkpoint. */
export function mergeSentences({ cases, merge }: Result): string[] {
  if (merge === undefined) return [];
  const [first] = cases;
  return [
    lossSentence(first),
    ...arrivalSentences(first),
    ...unmergeSentences(merge),
    ...mergedSentences(merge),
  ];
}

/** The share of the updates that left the stored weight as it was, of those that were not zero; zeros beside. */
function lossSentence(first: Case): string {
  const { totals, rounding } = first;
  const merged = `Merged into ${caseInWords(first)}`;
  if (totals.hiddenShare === null) return `${merged}, the adapter changes nothing: all its updates are zero.`;
  const chance = rounding === "stochastic" ? ", by chance" : "";
  const stayed = `${merged}, ${percent(totals.hiddenShare)} of the adapter's`;
  return totals.none === 0
    ? `${stayed} updates left the stored weight as it was${chance}; no update is zero.`
    : `${stayed} nonzero updates left the stored weight as it was${chance}; ${percent(totals.realSparsity)} of the updates are zero.`;
}

function arrivalSentences({ totals: { effectiveDescent }, end: { noise } }: Case): string[] {
  if (effectiveDescent === null) return [];
  const error = noise === null ? "" : `, with an error of ${ratio(noise)} times its size`;
  return [`${percent(effectiveDescent)} of the adapter arrives in the stored weights${error}.`];
}

function unmergeSentences({ cases: [{ unmerge }] }: MergeLens): string[] {
  if (unmerge === null) return [];
  return [
    unmerge.changed === 0
      ? "Unmerging gives every weight's number back."
      : `After unmerging, ${percent(unmerge.changedShare)} of the weights differ from before.`,
  ];
}

function mergedSentences({ merged }: MergeLens): string[] {
  if (merged === null) return [];
  const { elements, tensors, others, skipped } = merged;
  if (tensors === 0) {
    const [first] = skipped;
    const why = first ? `: ${printable(first.name, 80)} ${printable(first.reason, 200)}` : "";
    return [`The merged checkpoint has none of these tensors as they are stored here${why}.`];
  }
  return [
    merged.differ === 0
      ? `The merged checkpoint has the same bits in all ${count(elements)} weights.`
      : `The merged checkpoint has other bits in ${count(merged.differ)} of ${counted(elements, "weight")} ` +
        `(${percent(share(merged.differ, elements))}).`,
    ...otherSentences(others),
    ...mergedSkipped(merged),
  ];
}

/** Tensors of a merged checkpoint that are neither the base's nor, where the adapter replaces them, the adapter's. */
function otherSentences({
  tensors,
  differ,
  replaced = { tensors: 0, differ: 0 },
}: MergedComparison["others"]): string[] {
  const sentence = (all: number, wrong: number, which: string, whose: string) =>
    wrong === 0
      ? []
      : [`${count(wrong)} of its ${counted(all, which)} ${wrong === 1 ? "is" : "are"} not the ${whose}'s.`];
  return [
    ...sentence(tensors - replaced.tensors, differ - replaced.differ, "other tensor", "base"),
    ...sentence(replaced.tensors, replaced.differ, "replaced tensor", "adapter"),
  ];
}

function mergedSkipped({ skipped }: MergedComparison): string[] {
  if (skipped.length === 0) return [];
  const [{ name, reason }] = skipped;
  return [
    `${counted(skipped.length, "tensor")} could not be compared with it; the first, ${printable(name, 80)}: ${printable(reason, 200)}.`,
  ];
}

/** Tensors that are not counted: those without adapter, and those that the adapter replaces. */
function mergeNotes({ merge }: Result): string[] {
  if (merge === undefined) return [];
  const { untouched, replaced } = merge;
  const names = replaced.slice(0, 3).map((name) => printable(name, 80));
  const more = replaced.length > 3 ? ", …" : "";
  const weights = `${counted(untouched.elements, "weight")} in ${counted(untouched.tensors, "tensor")}`;
  const without = untouched.tensors > 0 ? ` ${weights} without an adapter are not counted.` : "";
  return [
    `${arrivesNote}${without}`,
    ...(replaced.length > 0
      ? [
          `${counted(replaced.length, "tensor")} of the adapter ${replaced.length === 1 ? "takes" : "take"} the place of the base's ` +
            `(${names.join(", ")}${more}): nothing is added there.`,
        ]
      : []),
  ];
}

const arrivesNote =
  "Arrives: the share of the update that the stored weights took, <e, u> / <u, u> with e what they did.";

/** One row per kind of module, and one for all. */
function kindTable({ cases, merge }: Result, caseIndex: number): NumberTable {
  const { kinds } = merge!.cases[caseIndex];
  const { totals, tensors } = cases[caseIndex];
  const rows = [
    ...kinds.map((each) => [each.kind, each] as const),
    ["all", { ...totals, tensors: tensors.length }] as const,
  ];
  return tableOf("module", cases[caseIndex], rows);
}

/** By layer. */
function mergedLayers({ cases, merge }: Result, caseIndex: number): NumberTable {
  const { layers } = merge!.cases[caseIndex];
  return tableOf(
    "layer",
    cases[caseIndex],
    layers.map((each) => [`${each.stack}.${each.layer}`, each]),
  );
}

function tableOf(
  what: string,
  caseResult: Case,
  rows: readonly (readonly [string, ModuleCounts])[],
): NumberTable {
  const keeps = caseResult.totals.kept > 0;
  const part = (counts: ModuleCounts, n: number) =>
    percent(share(n, counts.lost + counts.kept + counts.moved));
  return {
    headings: [
      what,
      "tensors",
      "weights",
      "moved",
      ...(keeps ? ["kept"] : []),
      classHeading("lost", [caseResult]),
      "arrives",
    ],
    rows: rows.map(([name, counts]) => [
      printable(name, 60),
      count(counts.tensors),
      count(counts.elements),
      part(counts, counts.moved),
      ...(keeps ? [part(counts, counts.kept)] : []),
      part(counts, counts.lost),
      percent(counts.effectiveDescent),
    ]),
  };
}

/** The result of unmerging, one row per case; null if not asked for. */
function unmergeTable({ cases, merge }: Result): NumberTable | null {
  if (merge === undefined || merge.cases.every(({ unmerge }) => unmerge === null)) return null;
  const labels = caseLabels(cases);
  return {
    headings: ["after unmerging", "as before", "of these moved and back", "not as before"],
    rows: merge.cases.map(({ unmerge }, i) => [
      labels[i],
      ...(unmerge === null
        ? [missing, missing, missing]
        : [count(unmerge.unchanged), count(unmerge.returned), count(unmerge.changed)]),
    ]),
  };
}

/** The adapter's configuration, for a list of settings. */
export function adapterFacts({ merge }: Result): (readonly [string, string])[] {
  if (merge === undefined) return [];
  const text = (spread: Spread) =>
    typeof spread === "number" ? String(spread) : `${spread.least} to ${spread.most}`;
  return [
    ["rank", text(merge.rank)],
    ["scale of the adapter", `${text(merge.scale)}${merge.rsLora ? " (rsLoRA)" : ""}`],
    ...(merge.rounded === null
      ? []
      : [["updates rounded before they are added", printable(merge.rounded)] as const]),
    ["weights without an adapter", count(merge.untouched.elements)],
  ];
}
