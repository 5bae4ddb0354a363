import { type ComparedRun, type RunComparison, storageOf } from "../../lens/learning/run-comparison.js";
import { verdictOf } from "../../lens/run/check.js";
import {
  type Fact,
  figures,
  inText,
  note,
  onPage,
  type Report,
  type Score,
  section,
  table,
  text,
} from "../blocks/block.js";
import { figuresOfComparison } from "../charts/comparison-charts.js";
import { compareCommandLine } from "../command.js";
import {
  comparisonHeadline,
  comparisonNotes,
  comparisonTable,
  runNames,
  storageNames,
} from "../comparison.js";
import { displacementCounted, weightsCounted } from "../nonfinite.js";
import { counted, percent, ratio, share } from "../numbers.js";
import { retainedScore, scoresNote } from "../verdict.js";

/** Recorded runs side by side. */
export function comparisonReport(result: RunComparison): Report {
  const { tool, settings, runs } = result;
  const stored = storageNames(result);
  const headline = comparisonHeadline(result);
  const names = runNames(runs);
  return {
    tool,
    title: "Precision lens: recorded runs",
    headline,
    scores: {
      of: runs.map((run, i) => scoreOf(run, names[i], storageOf(result, run).rounding)),
      note: scoresNote(runs),
    },
    lede: [],
    tiles: tiles(result),
    blocks: [
      inText(() => [text(headline), table(comparisonTable(result)), note(...comparisonNotes(result))]),
      onPage(() => [
        figures(...figuresOfComparison(result)),
        section("Run by run", [table(comparisonTable(result))]),
      ]),
    ],
    skipped: [],
    settings: () => [
      ...runs.map(
        ({ stepNumbers, totals }, i): Fact => [
          names[i],
          `${counted(totals.elements, "weight")}, ${counted(stepNumbers.length, "step")}, stored as ${stored.names[i]}`,
        ],
      ),
      ["seed", String(settings.seed)],
    ],
    again: () => ({ heading: "To compare again", commands: [compareCommandLine(result)] }),
    meaning: comparisonNotes(result, (_, i) => names[i]),
    source: names.join(", "),
  };
}

function scoreOf({ end, totals }: ComparedRun, label: string, rounding: string): Score {
  const { retained, noise } = end;
  const lost = retained === null ? null : 1 - retained;
  const told = verdictOf(lost, noise, rounding, totals.elements, end.nonfinite);
  return retainedScore(label, retained, percent(retained), told, end.nonfinite);
}

/** The first two runs: share retained and apparent sparsity. */
function tiles({ runs }: RunComparison): Fact[] {
  const names = runNames(runs);
  return runs.slice(0, 2).flatMap(({ totals, end }, i): Fact[] => [
    [`of the ${displacementCounted(end.nonfinite)} is retained: ${names[i]}`, ratio(end.retained)],
    [
      `of the ${weightsCounted(end.nonfinite)} look unchanged: ${names[i]}`,
      percent(share(end.unchanged, totals.elements - end.nonfinite)),
    ],
  ]);
}
