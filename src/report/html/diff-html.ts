import type { DifferenceCounts, DifferenceResult } from "../../lens/difference/difference-result.js";
import { diffFigures } from "../charts/figures.js";
import { byBytesLines, codeLines } from "../code-lines.js";
import { diffCommandLine } from "../command.js";
import { diffHeadline, mixedNote, withinNote } from "../diff-headline.js";
import { deltaNotes } from "../diff-table.js";
import { count, counted, percent, share, short } from "../numbers.js";
import { otherNote } from "../other-note.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import { geometrySection } from "./geometry-section.js";
import {
  commands,
  facts,
  figureHtml,
  numberTable,
  pageHeader,
  safe,
  scrolling,
  section,
  skippedSection,
} from "./parts.js";
import { diffFacts } from "./settings.js";
import { type NumberColumn, tensorData, tensorSection } from "./tensor-table.js";

/** A comparison of two checkpoints as a page in one file. */
export function renderDiffHtml(result: DifferenceResult, assets: HtmlAssets): string {
  const { tool, input, kinds, layers, totals, tensors, skipped, delta } = result;
  const figures = diffFigures(result);
  const [sentence, ...lede] = diffHeadline(result);
  const mixed = new Set(tensors.map(({ formats }) => formats.compared)).size > 1;
  const table = tensorData(
    columns,
    tensors.map((of) => ({
      name: of.name,
      shape: of.shape,
      ...(mixed && { note: of.formats.compared }),
      cases: [numbersOf(of)],
    })),
  );
  const body = [
    pageHeader(
      tool,
      sentence,
      [
        ...lede,
        ...withinNote(result),
        ...mixedNote(result),
        `${input.before.path} against ${input.after.path}.`,
      ],
      tiles(result),
    ),
    "<main>",
    `<section>${figureHtml(figures.modules, "h2")}</section>`,
    unknownSection(result),
    figures.layers.length > 0
      ? section("layers", "Where: layer by module", ...figures.layers.map((of) => figureHtml(of)))
      : "",
    geometrySection(result.geometry, input.after.path, figures.geometry),
    section(
      "far",
      "How far, and what it costs to send",
      `<div class="pair">${figureHtml(figures.distances)}${figureHtml(figures.delta)}</div>`,
      ...deltaNotes(delta).map((note) => `<p>${safe(note)}</p>`),
    ),
    section(
      "modules-table",
      "By module",
      scrolling(
        "Numbers by module",
        numberTable({
          headings: ["module", ...headings],
          rows: [...kinds, { ...totals, kind: "all" }].map((of) => [of.kind, ...cells(of)]),
        }),
      ),
      ...[...otherNote(result), ...codeLines(result), ...byBytesLines(result)].map(
        (note) => `<p>${safe(note)}</p>`,
      ),
    ),
    layers.length > 0
      ? section(
          "layers-table",
          "By layer",
          scrolling(
            "Numbers by layer",
            numberTable({
              headings: ["layer", ...headings],
              rows: layers.map((of) => [`${of.stack}.${of.layer}`, ...cells(of)]),
            }),
          ),
        )
      : "",
    tensorSection(table, ""),
    skippedSection(skipped),
    section("settings", "Settings", facts(diffFacts(result))),
    section("reproduce", "To compare again", commands([diffCommandLine(result)])),
    "</main>",
    `<footer><p>${safe(meaning)}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), table, assets);
}

const meaning =
  "Unchanged: the same number in the compared format. Hidden: unchanged in it, changed in the numbers of the files. " +
  "Real: every update recorded of it is zero. Real at most: what changed was updated, so no more than this can be real.";

function tiles({ totals }: DifferenceResult): [string, string][] {
  return [
    ["of the weights unchanged", percent(totals.apparentSparsity)],
    totals.realSparsity === null
      ? ["at most can be really unchanged", percent(totals.realSparsityAtMost)]
      : ["were never updated", percent(totals.realSparsity)],
    ["weights changed their sign", count(totals.signFlips)],
    [`of ${counted(totals.tensors, "tensor")} wholly unchanged`, count(totals.tensorsUnchanged)],
  ];
}

/** What two files cannot tell, with the reasons. */
function unknownSection({ unknown }: DifferenceResult): string {
  const reasons = [
    ["What the format hides", unknown.hidden],
    ["How many weights were never updated", unknown.realSparsity],
  ] as const;
  const rows = reasons.flatMap(([what, reason]) => (reason === null ? [] : [[what, reason] as const]));
  return rows.length === 0 ? "" : section("unknown", "What is unknown, and why", facts(rows));
}

const headings = [
  "weights",
  "unchanged",
  "hidden",
  "real",
  "real at most",
  "path-not-taken",
  "small-subnetworks",
  "sign flips",
  "nonfinite",
  "norm of the change",
];

function cells(of: DifferenceCounts): string[] {
  return [
    count(of.elements),
    percent(of.apparentSparsity),
    percent(hiddenShare(of)),
    percent(of.realSparsity),
    percent(of.realSparsityAtMost),
    percent(of.probes["path-not-taken"].share),
    percent(of.probes["small-subnetworks"].share),
    count(of.signFlips),
    count(of.nonfinite),
    short(of.displacementNorm),
  ];
}

const columns: readonly NumberColumn[] = [
  { heading: "weights", as: "count" },
  { heading: "unchanged", as: "percent" },
  { heading: "hidden", as: "percent" },
  { heading: "real at most", as: "percent" },
  { heading: "path-not-taken", as: "percent" },
  { heading: "small-subn.", as: "percent" },
  { heading: "sign flips", as: "count" },
  { heading: "by one ulp", as: "percent" },
];

function numbersOf(of: DifferenceCounts): (number | null)[] {
  return [
    of.elements,
    of.apparentSparsity,
    hiddenShare(of),
    of.realSparsityAtMost,
    of.probes["path-not-taken"].share,
    of.probes["small-subnetworks"].share,
    of.signFlips,
    share(of.ulps[0] ?? 0, of.changed),
  ];
}

function hiddenShare({ hidden, elements, nonfinite }: DifferenceCounts): number | null {
  return hidden === null ? null : share(hidden, elements - nonfinite);
}
