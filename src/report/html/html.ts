import type { Case } from "../../lens/run/case.js";
import type { Result } from "../../lens/run/result.js";
import { shareHalfWidth } from "../../lens/study/sampling.js";
import { type CaseFigures, runFigures } from "../charts/figures.js";
import { runCommandLines } from "../command.js";
import { headline } from "../headline.js";
import { caseInWords, caseLabels, stepsInWords } from "../labels.js";
import {
  carriesPercents,
  count,
  counted,
  missing,
  percentIn,
  sampleOf,
  share,
  shareOfWeights,
} from "../numbers.js";
import { lostShare, verificationNotes } from "../recipe-table.js";
import { classHeading } from "../rounding-words.js";
import { hasCollateral, sizedUpdates } from "../shared-scales.js";
import { retainedText } from "../simulation.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
import { geometrySection } from "./geometry-section.js";
import { mergeSections } from "./merge-section.js";
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
import { runFacts } from "./settings.js";
import { furtherSections } from "./simulation-section.js";
import { type NumberColumn, tensorData, tensorSection } from "./tensor-table.js";

/** A result as a page in one file. */
export function renderHtml(result: Result, assets: HtmlAssets): string {
  const { tool, cases, skipped, input } = result;
  const labels = caseLabels(cases);
  const figures = runFigures(result);
  const [sentence, ...lede] = headline(result);
  const choose = (what: string) => chooser(labels, what);
  const size = `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}.`;
  const table = tensorData(columns(result), rows(result));
  const reproduce = runCommandLines(result);
  const body = [
    pageHeader(tool, sentence, [...lede, size], tiles(result)),
    "<main>",
    `<section>${figureHtml(figures.classes, "h2")}</section>`,
    `<section>${figureHtml(figures.sparsity, "h2")}</section>`,
    caseSection(
      "sizes",
      "Why: the size of the updates",
      choose("Stored as"),
      figures.cases.map(({ sizes }) => [sizes]),
    ),
    figures.steps.length > 0
      ? section(
          "steps",
          "Step by step",
          `<div class="pair">${figures.steps.map((figure) => figureHtml(figure)).join("")}</div>`,
        )
      : "",
    layerSection(figures.cases, choose("Stored as")),
    `<section>${figureHtml(figures.probes, "h2")}</section>`,
    geometrySection(result.geometry, input.updates ?? "", figures.geometry),
    mergeSections(result, labels, choose("Stored as")),
    furtherSections(result),
    recipeSection(result, labels),
    tensorSection(table, choose("Stored as")),
    skippedSection(skipped),
    section("settings", "Settings", facts(runFacts(result))),
    section(
      "reproduce",
      "To count this again",
      reproduce.length > 0
        ? commands(reproduce)
        : "<p>The input was not read from files: the settings above say how it was made.</p>",
    ),
    "</main>",
    `<footer><p>${safe(meaningOf(cases))}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), table, assets);
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

/** Of the first case, which the headline is about. */
function tiles(result: Result): [string, string][] {
  const [lensCase] = result.cases;
  const { totals, end } = lensCase;
  const sample = sampleOf(result);
  const percent = percentIn(sample);
  const sized = sizedUpdates(totals);
  const how = caseInWords(lensCase);
  return [
    [
      `of the weights unchanged at the end, stored as ${how}`,
      percent(shareOfWeights(lensCase, end.unchanged)),
    ],
    [
      "of these hidden: fp32 would have changed them",
      percentIn(sample && end.unchanged)(share(end.hidden, end.unchanged)),
    ],
    [
      lensCase.rounding === "stochastic"
        ? "of the updates that were not zero left their weight as it was, by chance"
        : "of the updates that were not zero are lost",
      percent(share(totals.lost, sized)),
    ],
    ["of the fp32 displacement is retained, by weight and carrier together", retainedText(result, 0)],
  ];
}

/** Which case is shown, wherever that is asked; all of them go together. The script shows it where there are several. */
function chooser(labels: readonly string[], what: string): string {
  const options = labels.map((label, i) => `<option value="${i}">${safe(label)}</option>`).join("");
  return `<div hidden><label>${safe(what)}<select class="case">${options}</select></label></div>`;
}

function caseSection(
  id: string,
  heading: string,
  choose: string,
  cases: readonly (readonly Parameters<typeof figureHtml>[0][])[],
): string {
  const shown = cases.map(
    (figures, i) =>
      `<div data-case="${i}"${i > 0 ? " hidden" : ""}>${figures.map((figure) => figureHtml(figure)).join("")}</div>`,
  );
  return section(id, heading, `<div class="controls">${choose}</div>`, ...shown);
}

function layerSection(cases: readonly CaseFigures[], choose: string): string {
  if (cases.every(({ layers }) => layers.length === 0)) return "";
  return caseSection(
    "layers",
    "Where: layer by module",
    choose,
    cases.map(({ layers }) => layers),
  );
}

/** Runs whose updates an optimizer computed: why weights stood still, and the lens on its moments. */
function recipeSection(result: Result, labels: readonly string[]): string {
  const percent = percentIn(sampleOf(result));
  const { cases } = result;
  if (cases.every(({ recipe }) => recipe === null)) return "";
  const causes = ["storage", "epsilon", "momentUnderflow", "weightDecay", "gradient"] as const;
  const table = numberTable({
    headings: [
      "stored as",
      ...["storage", "epsilon", "moment underflow", "weight decay", "gradient zero"],
      ...["m lost", "v lost", "parted from the first"],
    ],
    rows: cases.map((lensCase, i) => [
      labels[i],
      ...causes.map((cause) =>
        lensCase.causes === null
          ? missing
          : percent(
              share(
                lensCase.causes[cause],
                lensCase.totals.none + lensCase.totals.lost + lensCase.totals.kept,
              ),
            ),
      ),
      percent(lostShare(lensCase.moments, "m")),
      percent(lostShare(lensCase.moments, "v")),
      lensCase.end.parted === null ? missing : count(lensCase.end.parted),
    ]),
  });
  return section(
    "optimizer",
    "Why weights stood still, by recipe",
    "<p>Of the weight-steps that did not move the stored weight, the cause; of the updates of the moments, what was lost.</p>",
    scrolling("Causes by recipe", table),
    ...verificationNotes(result).map((note) => `<p>${safe(note)}</p>`),
  );
}

function columns({ cases, sampling }: Result): NumberColumn[] {
  const all: NumberColumn[] = [
    { heading: "weights", as: "count" },
    { heading: "unchanged", as: "percent" },
    { heading: "hidden", as: "percent" },
    { heading: "moved", as: "percent" },
    ...(hasCollateral(cases) ? [{ heading: "by scale", as: "percent" } as const] : []),
    ...(keeps(cases) ? [{ heading: "kept", as: "percent" } as const] : []),
    { heading: classHeading("lost", cases), as: "percent" },
    { heading: "zero", as: "percent" },
    { heading: "retained", as: "ratio" },
    { heading: "visible", as: "ratio" },
    ...(nonfinite(cases) ? [{ heading: "nonfinite", as: "count" } as const] : []),
  ];
  return sampling === undefined
    ? all
    : all.map((column) => (column.as === "percent" ? { ...column, as: "whole" } : column));
}

const keeps = (cases: readonly Case[]) => cases.some(({ totals }) => totals.kept > 0);
const nonfinite = (cases: readonly Case[]) => cases.some(({ totals }) => totals.nonfinite > 0);

/** Of a sample, shares whose intervals carry whole percents; what a tensor retains has no interval there. */
function rows({ cases, sampling }: Result) {
  const [scaled, kept, odd] = [hasCollateral(cases), keeps(cases), nonfinite(cases)];
  return cases[0].tensors.map(({ name, shape }, i) => ({
    name,
    shape,
    cases: cases.map(({ tensors }) => {
      const { totals, end } = tensors[i];
      const updates = sizedUpdates(totals) + totals.zeros;
      const known = (x: number | null) =>
        x === null || sampling === undefined || carriesPercents(shareHalfWidth(x, totals.elements))
          ? x
          : null;
      return [
        totals.elements,
        known(shareOfWeights({ totals, end }, end.unchanged)),
        known(shareOfWeights({ totals, end }, end.hidden)),
        known(share(totals.moved, updates)),
        ...(scaled ? [known(share(totals.collateral, updates))] : []),
        ...(kept ? [known(share(totals.kept, updates))] : []),
        known(share(totals.lost, updates)),
        known(share(totals.zeros, updates)),
        sampling ? null : end.retained,
        sampling ? null : end.visible,
        ...(odd ? [totals.nonfinite] : []),
      ];
    }),
  }));
}
