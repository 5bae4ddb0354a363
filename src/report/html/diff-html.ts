import type { DifferenceCounts, DifferenceResult } from "../../lens/difference/difference-result.js";
import { diffFigures } from "../charts/figures.js";
import { byBytesLines, codeLines } from "../code-lines.js";
import { diffCommandLine } from "../command.js";
import { diffHeadline, mixedNote, withinNote } from "../diff-headline.js";
import { deltaNotes } from "../diff-table.js";
import { differenceCells, differenceHeadings, hiddenShare } from "../difference-cells.js";
import { count, counted, percent, share } from "../numbers.js";
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
    tensors.map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      ...(mixed && { note: tensor.formats.compared }),
      cases: [numbersOf(tensor)],
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
      ? section("layers", "Where: layer by module", ...figures.layers.map((figure) => figureHtml(figure)))
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
          headings: ["module", ...differenceHeadings],
          rows: [...kinds, { ...totals, kind: "all" }].map((row) => [row.kind, ...differenceCells(row)]),
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
              headings: ["layer", ...differenceHeadings],
              rows: layers.map((layer) => [`${layer.stack}.${layer.layer}`, ...differenceCells(layer)]),
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

function numbersOf(counts: DifferenceCounts): (number | null)[] {
  return [
    counts.elements,
    counts.apparentSparsity,
    hiddenShare(counts),
    counts.realSparsityAtMost,
    counts.probes["path-not-taken"].share,
    counts.probes["small-subnetworks"].share,
    counts.signFlips,
    share(counts.ulps[0] ?? 0, counts.changed),
  ];
}
