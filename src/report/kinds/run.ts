import type { Case, LensCounts } from "../../lens/run/case.js";
import type { Result } from "../../lens/run/result.js";
import { adapterBlocks } from "../adapter-lens.js";
import {
  type Block,
  beside,
  type Fact,
  figures,
  inMarkdown,
  note,
  onPage,
  onTerminal,
  type Report,
  section,
  table,
  tableOf,
  text,
} from "../blocks/block.js";
import { classChart } from "../charts/class-chart.js";
import type { Figure, NumberTable } from "../charts/figure.js";
import { layerCharts } from "../charts/heatmap-chart.js";
import { histogramChart } from "../charts/histogram-chart.js";
import { probeChart } from "../charts/probe-chart.js";
import { sparsityChart } from "../charts/sparsity-chart.js";
import { stepCharts } from "../charts/step-charts.js";
import { runCommandLines } from "../command.js";
import { headline } from "../headline.js";
import { caseInWords, caseLabels, stepsInWords } from "../labels.js";
import { lensTable } from "../lens-table.js";
import { displacementCounted, updatesCounted, weightsCounted } from "../nonfinite.js";
import {
  count,
  counted,
  missing,
  percentIn,
  ratio,
  ratioWithin,
  sampleOf,
  share,
  shareOfWeights,
  short,
} from "../numbers.js";
import { recipeBlocks } from "../recipe-table.js";
import { runTensors, tensorNote } from "../run-tensors.js";
import { runFacts } from "../settings.js";
import { endOf } from "../shareable.js";
import { hasCollateral, sharedNote, sharedTable, sizedUpdates } from "../shared-scales.js";
import {
  endRatio,
  endRatioText,
  firstShownNote,
  firstShownTable,
  retainedText,
  samplingNote,
  samplingTable,
} from "../simulation.js";
import { verdictOnAll } from "../skipped.js";
import { runScores, runVerdict, scoresNote } from "../verdict.js";
import { geometrySection } from "./geometry.js";

/** A run of recorded or drawn updates, or the merge of an adapter. */
export function runReport(result: Result): Report {
  const { tool, input, engine, cases, skipped } = result;
  const labels = caseLabels(cases);
  const answer = headline(result);
  const from = input.updates ?? input.gradients ?? input.adapter ?? null;
  const size = `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}`;
  return {
    tool,
    title: "Precision lens",
    headline: answer,
    ...verdictOnAll(skipped, input.elements, runVerdict(result)),
    scores: { of: runScores(result), note: scoresNote(cases) },
    lede: [`${size}.`],
    tiles: tiles(result),
    blocks: [
      onTerminal(() => [
        text([`${size}, ${counted(input.elements * input.stepNumbers.length, "update")}`], "strong"),
        lensTable(result),
        table(displacementTable(result), { joined: ["noise/weight"] }),
        note(displacementNote(cases)),
        text([answer.join(" ")]),
      ]),
      inMarkdown(() => [
        text([
          answer.join(" "),
          `${size}. ${tool.name} ${tool.version}, engine ${engine.name} (${engine.device}).`,
        ]),
        section("Updates and weights", [table(classTable(result)), table(endTable(result))]),
        section("Published probes", [table(probeTable(result))]),
      ]),
      onPage(() => chartBlocks(result, labels)),
      ...adapterBlocks(result),
      onTerminal(() => [table(briefProbeTable(result), { joined: ["wrong"] })]),
      section("The whole model", [table(samplingTable(result), { notes: [samplingNote(result)] })]),
      section("When weights first show", [
        table(firstShownTable(result), { notes: [firstShownNote(result)], joined: ["formula"] }),
      ]),
      section("Codes, scales and numbers", [table(sharedTable(result), { notes: [sharedNote] })]),
      geometrySection(result.geometry, input.updates ?? ""),
      ...recipeBlocks(result),
      inMarkdown(() => cases.map((caseResult, i) => caseSection(caseResult, labels[i], result))),
      onPage(() => [{ kind: "tensors", data: runTensors(result), labels, note: tensorNote(cases) }]),
    ],
    skipped,
    settings: () => runFacts(result),
    again: () => ({ heading: "To count this again", commands: runCommandLines(result) }),
    meaning: [meaningOf(cases)],
    source: from === null ? size : `${size}; ${endOf(from)}`,
  };
}

function chartBlocks(result: Result, labels: readonly string[]): Block[] {
  const { cases, sampling } = result;
  const sampled = sampling !== undefined;
  const percent = percentIn(sampleOf(result));
  const steps = stepCharts(cases, { percent, ratio: visibleRatio(result), sampled });
  const layers = cases.map(({ tensors }, i) => layerCharts(tensors.map(unchangedPart), labels[i], sampled));
  // Different labels may give the same file name; case numbers do not.
  const choice = (chartsOf: (caseResult: Case, i: number) => readonly Figure[]): Block => ({
    kind: "choice",
    labels,
    choices: cases.map((caseResult, i) => [
      figures(...chartsOf(caseResult, i).map((chart) => ({ ...chart, name: `case-${i + 1}-${chart.name}` }))),
    ]),
  });
  return [
    figures(classChart(cases, percent), sparsityChart(cases, percent)),
    section("Why: the size of the updates", [
      choice((caseResult, i) => [histogramChart(caseResult, labels[i], percent)]),
    ]),
    ...(steps.length > 0 ? [section("Step by step", [beside(...steps)])] : []),
    ...(layers.flat().length > 0 ? [section("Where: layer by module", [choice((_, i) => layers[i])])] : []),
    figures(probeChart(cases, percent)),
  ];
}

/** For a sample, with the digits supported by its interval. */
function visibleRatio(result: Result): (x: number | null) => string {
  const visible = endRatio(result, 0, "visible");
  return (x) => (x === null || visible === null ? missing : ratioWithin(x, (visible.high - visible.low) / 2));
}

function unchangedPart({ name, totals, end }: Case["tensors"][number]) {
  return { name, part: end.unchanged, whole: totals.elements - end.nonfinite };
}

const meaning =
  "Apparent sparsity: updates that changed no stored bit. Real sparsity: updates that were zero. Lost: not zero, and neither " +
  "the stored bits nor any carrier changed. Kept: only a carrier changed, such as an fp32 master. Hidden: unchanged at the " +
  "end, though the same updates added in fp32 would have changed it. Retained: the share of the fp32 run's displacement " +
  "that weight and carrier hold at the end. Visible: the share that the stored bits show.";

function meaningOf(cases: readonly Case[]): string {
  const drawn = cases.some(({ rounding }) => rounding === "stochastic");
  return drawn
    ? `${meaning} Stayed by chance: the same under stochastic rounding, where on average nothing is lost.`
    : meaning;
}

/** The key figures of the first case. */
function tiles(result: Result): Fact[] {
  const [caseResult] = result.cases;
  const { totals, end } = caseResult;
  const sample = sampleOf(result);
  const percent = percentIn(sample);
  const sized = sizedUpdates(totals);
  const how = caseInWords(caseResult);
  const weights = weightsCounted(end.nonfinite);
  const updates = updatesCounted(totals.nonfinite);
  return [
    [
      `of the ${weights} unchanged at the end, stored as ${how}`,
      percent(shareOfWeights(caseResult, end.unchanged)),
    ],
    [
      "of these hidden: fp32 would have changed them",
      percentIn(sample && end.unchanged)(share(end.hidden, end.unchanged)),
    ],
    [
      caseResult.rounding === "stochastic"
        ? `of the ${updates} left their weight as it was, by chance`
        : `of the ${updates} are lost`,
      percent(share(totals.lost, sized)),
    ],
    [
      `of the ${displacementCounted(end.nonfinite)} is retained, by weight and carrier together`,
      retainedText(result, 0),
    ],
  ];
}

/** The share of the fp32 run's displacement that each case retains and shows; one row per case. */
function displacementTable(result: Result): NumberTable {
  return tableOf(result.cases, [
    ["stored as", storedAs(result)],
    ["retained", (_, i) => endRatioText(result, i, "retained")],
    ["visible", (_, i) => endRatioText(result, i, "visible")],
    ["noise", (_, i) => endRatioText(result, i, "noise")],
    ["noise/weight", (_, i) => endRatioText(result, i, "noiseToWeight")],
  ]);
}

/** The meaning of the columns of {@link displacementTable}. */
export function displacementNote(cases: readonly Case[]): string {
  const ofFinite = cases.some(({ end }) => end.nonfinite > 0) ? ", of the finite weights" : "";
  return (
    `Of the displacement of an fp32 run${ofFinite}: retained, the share that weight and carrier hold at the end; visible, ` +
    "the share that the stored bits show. Noise: how far weight and carrier are from it, relative to it and to the weights."
  );
}

function storedAs({ cases }: Result) {
  const labels = caseLabels(cases);
  return (_: Case, i: number) => labels[i];
}

/** The published probes and the exact test. */
function probeTable(result: Result): NumberTable {
  const percent = percentIn(sampleOf(result));
  return tableOf(result.cases, [
    ["stored as", storedAs(result)],
    ["exact", (caseResult) => percent(shareOfWeights(caseResult, caseResult.end.unchanged))],
    ["path-not-taken", ({ probes }) => percent(probes["path-not-taken"].share)],
    ["small-subnetworks", ({ probes }) => percent(probes["small-subnetworks"].share)],
    ["ulp-rule: lost", ({ probes }) => percent(probes["ulp-rule"].share)],
    ["ulp-rule: wrong", ({ probes }) => percent(probes["ulp-rule"].disagreement)],
  ]);
}

/** The same with fewer columns. */
function briefProbeTable(result: Result): NumberTable {
  const { headings, rows } = probeTable(result);
  return { headings: ["published probes", ...headings.slice(1, 4), "ulp-rule", "wrong"], rows };
}

/** The classes of updates, as counts. */
function classTable(result: Result): NumberTable {
  const percent = percentIn(sampleOf(result));
  const names = ["moved", "collateral", "kept", "lost", "nonfinite"] as const;
  const shown = names.filter((name) => name !== "collateral" || hasCollateral(result.cases));
  return tableOf(result.cases, [
    ["stored as", storedAs(result)],
    ["zero", ({ totals }) => count(totals.zeros)],
    ...shown.map(
      (name) =>
        [name === "collateral" ? "by scale" : name, ({ totals }: Case) => count(totals[name])] as const,
    ),
    ["apparent sparsity", ({ totals }) => percent(totals.apparentSparsity)],
    ["real sparsity", ({ totals }) => percent(totals.realSparsity)],
    ["hidden share", ({ totals }) => percent(totals.hiddenShare)],
  ]);
}

/** The end compared with the start. */
function endTable(result: Result): NumberTable {
  const ratios = {
    retained: "retained",
    visible: "visible",
    noise: "noise",
    noiseToWeight: "noise / weight",
  } as const;
  return tableOf(result.cases, [
    ["stored as", storedAs(result)],
    ["unchanged", ({ end }) => count(end.unchanged)],
    ["never updated", ({ end }) => count(end.neverUpdated)],
    ["cancelled", ({ end }) => count(end.cancelled)],
    ["hidden", ({ end }) => count(end.hidden)],
    ["returned", ({ end }) => count(end.returned)],
    ...(["retained", "visible", "noise", "noiseToWeight"] as const).map(
      (name) => [ratios[name], (_: Case, i: number) => endRatioText(result, i, name)] as const,
    ),
    ["norm of updates", ({ totals }) => short(totals.updateNorm)],
    ["norm of moves", ({ totals }) => short(totals.effectiveNorm)],
  ]);
}

/** Tables by step and by tensor. A sample omits the retained share, because these sums have no interval. */
function caseSection({ recipe, steps, tensors }: Case, label: string, result: Result): Block {
  const sample = sampleOf(result);
  const percent = percentIn(sample);
  const summed = (x: number | null) => (sample === undefined ? ratio(x) : missing);
  const within = ({ totals }: LensCounts) => percentIn(sample && totals.elements);
  const ofWeights = (part: "unchanged" | "hidden") => (counts: LensCounts) =>
    within(counts)(shareOfWeights(counts, counts.end[part]));
  return section(label, [
    table(
      tableOf(steps, [
        ["step", ({ step }) => String(step)],
        ["apparent sparsity", ({ apparentSparsity }) => percent(apparentSparsity)],
        ["real sparsity", ({ realSparsity }) => percent(realSparsity)],
        ["hidden share", ({ hiddenShare }) => percent(hiddenShare)],
        ["effective descent", ({ effectiveDescent }) => summed(effectiveDescent)],
        ...(recipe
          ? [
              [
                "parted",
                ({ parted }: (typeof steps)[number]) => (parted === null ? missing : count(parted)),
              ] as const,
            ]
          : []),
      ]),
    ),
    table(
      tableOf(tensors, [
        ["tensor", ({ name }) => name],
        ["shape", ({ shape }) => shape.join(" x ") || missing],
        ["weights", ({ totals }) => count(totals.elements)],
        ["unchanged", ofWeights("unchanged")],
        ["hidden", ofWeights("hidden")],
        ["apparent sparsity", (tensor) => within(tensor)(tensor.totals.apparentSparsity)],
        ["real sparsity", (tensor) => within(tensor)(tensor.totals.realSparsity)],
        ["retained", ({ end }) => summed(end.retained)],
        ["visible", ({ end }) => summed(end.visible)],
      ]),
    ),
  ]);
}
