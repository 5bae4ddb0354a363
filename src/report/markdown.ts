import type { Case, LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { kindTable, mergedLayers, mergeNotes, unmergeTable } from "./adapter-lens.js";
import { geometryMarkdown } from "./geometry-markdown.js";
import { headline } from "./headline.js";
import { caseLabels, stepsInWords } from "./labels.js";
import { escaped, table } from "./markdown-text.js";
import { count, counted, missing, percentIn, ratio, sampleOf, shareOfWeights, short } from "./numbers.js";
import { lostShare, verificationNotes } from "./recipe-table.js";
import { hasCollateral, sharedNote, sharedTable } from "./shared-scales.js";
import { endRatioText, firstShownNote, firstShownTable, samplingNote, samplingTable } from "./simulation.js";

/** A result as Markdown (GitHub's tables): summary, cases, probes, steps and tensors. */
export function renderMarkdown(result: Result): string {
  const { input, engine, tool, cases, skipped } = result;
  const percent = percentIn(sampleOf(result));
  const labels = caseLabels(cases);
  const shared = hasCollateral(cases);
  const blocks = [
    "# Precision lens",
    escaped(headline(result).join(" ")),
    `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}. ` +
      escaped(`${tool.name} ${tool.version}, engine ${engine.name} (${engine.device}).`),
    "## Updates and weights",
    table(
      [
        "stored as",
        "zero",
        "moved",
        ...(shared ? ["by scale"] : []),
        "kept",
        "lost",
        "nonfinite",
        "apparent sparsity",
        "real sparsity",
        "hidden share",
      ],
      cases.map(({ totals }, i) => [
        labels[i],
        ...[
          ...[totals.zeros, totals.moved, ...(shared ? [totals.collateral] : [])],
          ...[totals.kept, totals.lost, totals.nonfinite],
        ].map(count),
        percent(totals.apparentSparsity),
        percent(totals.realSparsity),
        percent(totals.hiddenShare),
      ]),
    ),
    table(
      [
        "stored as",
        "unchanged",
        "never updated",
        "cancelled",
        "hidden",
        "returned",
        "retained",
        "visible",
        "noise",
        "noise / weight",
        "norm of updates",
        "norm of moves",
      ],
      cases.map(({ totals, end }, i) => [
        labels[i],
        ...[end.unchanged, end.neverUpdated, end.cancelled, end.hidden, end.returned].map(count),
        ...(["retained", "visible", "noise", "noiseToWeight"] as const).map((name) =>
          endRatioText(result, i, name),
        ),
        short(totals.updateNorm),
        short(totals.effectiveNorm),
      ]),
    ),
    "## Published probes",
    table(
      ["stored as", "exact", "path-not-taken", "small-subnetworks", "ulp-rule: lost", "ulp-rule: wrong"],
      cases.map(({ totals, end, probes }, i) => [
        labels[i],
        percent(shareOfWeights({ totals, end }, end.unchanged)),
        percent(probes["path-not-taken"].share),
        percent(probes["small-subnetworks"].share),
        percent(probes["ulp-rule"].share),
        percent(probes["ulp-rule"].disagreement),
      ]),
    ),
    ...mergeSections(result, labels),
    ...furtherSections(result),
    ...(result.geometry ? geometryMarkdown(result.geometry, input.updates ?? "") : []),
    ...recipeSection(result, labels),
    ...cases.flatMap((lensCase, i) => caseSection(lensCase, labels[i], result)),
    ...(skipped.length > 0
      ? [
          "## Not counted",
          table(
            ["tensor", "reason"],
            skipped.map(({ name, reason }) => [name, reason]),
          ),
        ]
      : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** What only merges of adapters have. */
function mergeSections(result: Result, labels: readonly string[]): string[] {
  if (result.merge === undefined) return [];
  const unmerge = unmergeTable(result);
  return [
    ...labels.flatMap((label, i) => {
      const tables = [kindTable(result, i), mergedLayers(result, i)].filter(({ rows }) => rows.length > 0);
      return [
        `## The adapter by module and layer: ${escaped(label)}`,
        ...tables.map(({ headings, rows }) => table(headings, rows)),
      ];
    }),
    ...mergeNotes(result).map(escaped),
    ...(unmerge ? ["## After unmerging", table(unmerge.headings, unmerge.rows)] : []),
  ];
}

/** What only some results have: of simulations, and of weights that share scales. */
function furtherSections(result: Result): string[] {
  const [sampling, firstShown] = [samplingTable(result), firstShownTable(result)];
  const shared = sharedTable(result);
  return [
    ...(sampling
      ? ["## The whole model", table(sampling.headings, sampling.rows), samplingNote(result)]
      : []),
    ...(firstShown
      ? ["## When weights first show", table(firstShown.headings, firstShown.rows), escaped(firstShownNote)]
      : []),
    ...(shared
      ? ["## Codes, scales and numbers", table(shared.headings, shared.rows), escaped(sharedNote)]
      : []),
  ];
}

/** Runs whose updates an optimizer computed: why weights stood still, the moments, where recipes part. */
function recipeSection(result: Result, labels: readonly string[]): string[] {
  const percent = percentIn(sampleOf(result));
  const { cases } = result;
  if (cases.every(({ recipe }) => recipe === null)) return [];
  const causes = ["storage", "epsilon", "momentUnderflow", "weightDecay", "gradient"] as const;
  const inWords = ["storage", "epsilon", "moment underflow", "weight decay", "gradient zero"];
  return [
    "## Optimizer",
    table(
      ["stored as", "recipe of", ...inWords, "m lost", "v lost", "parted"],
      cases.map((lensCase, i) => [
        labels[i],
        lensCase.recipe?.of ?? missing,
        ...causes.map((cause) => (lensCase.causes === null ? missing : count(lensCase.causes[cause]))),
        percent(lostShare(lensCase.moments, "m")),
        percent(lostShare(lensCase.moments, "v")),
        lensCase.end.parted === null ? missing : count(lensCase.end.parted),
      ]),
    ),
    ...verificationNotes(result).map(escaped),
  ];
}

function caseSection(lensCase: Case, label: string, result: Result): string[] {
  const percent = percentIn(sampleOf(result));
  const sampled = result.sampling !== undefined;
  return [
    `## ${escaped(label)}`,
    table(
      [
        "step",
        "apparent sparsity",
        "real sparsity",
        "hidden share",
        "effective descent",
        ...(lensCase.recipe ? ["parted"] : []),
      ],
      lensCase.steps.map((counts) => [
        String(counts.step),
        percent(counts.apparentSparsity),
        percent(counts.realSparsity),
        percent(counts.hiddenShare),
        sampled ? missing : ratio(counts.effectiveDescent),
        ...(lensCase.recipe ? [counts.parted === null ? missing : count(counts.parted)] : []),
      ]),
    ),
    table(
      [
        "tensor",
        "shape",
        "weights",
        "unchanged",
        "hidden",
        "apparent sparsity",
        "real sparsity",
        "retained",
        "visible",
      ],
      lensCase.tensors.map(({ name, shape, ...counts }) => [
        name,
        shape.join(" x ") || missing,
        ...tensorCells(counts, sampled),
      ]),
    ),
  ];
}

/** Of a sample, what a tensor retains is not told: its sums have no interval. */
function tensorCells({ totals, end }: LensCounts, sampled: boolean): string[] {
  const percent = percentIn(sampled ? totals.elements : undefined);
  return [
    count(totals.elements),
    percent(shareOfWeights({ totals, end }, end.unchanged)),
    percent(shareOfWeights({ totals, end }, end.hidden)),
    percent(totals.apparentSparsity),
    percent(totals.realSparsity),
    sampled ? missing : ratio(end.retained),
    sampled ? missing : ratio(end.visible),
  ];
}
