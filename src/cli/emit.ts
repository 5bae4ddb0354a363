import { CommanderError } from "commander";
import pc from "picocolors";
import type { DifferenceResult } from "../lens/difference-result.js";
import type { PredictionResult } from "../lens/prediction.js";
import type { Result } from "../lens/result.js";
import type { SweepResult } from "../lens/sweep.js";
import type { Figure } from "../report/charts/figure.js";
import { figuresOfDiff, figuresOfRun } from "../report/charts/figures.js";
import { figuresOfPrediction } from "../report/charts/prediction-chart.js";
import { figuresOfSweep } from "../report/charts/sweep-chart.js";
import { renderCsv } from "../report/csv.js";
import { renderDiffCsv } from "../report/diff-csv.js";
import { renderDiffMarkdown } from "../report/diff-markdown.js";
import { renderDiffTable } from "../report/diff-table.js";
import { renderDiffHtml } from "../report/html/diff-html.js";
import type { HtmlAssets } from "../report/html/document.js";
import { renderHtml } from "../report/html/html.js";
import { renderPredictionHtml } from "../report/html/prediction-html.js";
import { renderSweepHtml } from "../report/html/sweep-html.js";
import { renderMarkdown } from "../report/markdown.js";
import {
  renderPredictionCsv,
  renderPredictionMarkdown,
  renderPredictionTable,
} from "../report/prediction.js";
import { diffSource, predictionSource, runSource, sweepSource } from "../report/source-line.js";
import { renderSweepCsv } from "../report/sweep-csv.js";
import { renderSweepMarkdown } from "../report/sweep-markdown.js";
import { renderSweepTable } from "../report/sweep-table.js";
import { renderTable } from "../report/table.js";
import type { Terminal } from "../report/terminal.js";
import type { OutputOptions } from "./common-options.js";
import { htmlAssets } from "./font.js";
import { expectFolder, writeFigures } from "./write-figures.js";
import { expectWritable, writeWhole } from "./write-output.js";

/** The renderings that can go to a file or, named -, to stdout; JSON is that of any object. */
const renderingNames = ["json", "csv", "markdown", "html"] as const;

/** How an object is rendered. */
export interface Renderers<Of> {
  readonly csv: (of: Of) => string;
  readonly markdown: (of: Of) => string;
  readonly html: (of: Of, assets: HtmlAssets) => string;
  readonly figures: (of: Of) => readonly Figure[];
  /** What figures are of, at the foot of a slide. */
  readonly source: (of: Of) => string;
  readonly table: (of: Of, terminal: Terminal) => string;
}

const lensRenderers: Renderers<Result> = {
  csv: renderCsv,
  markdown: renderMarkdown,
  html: renderHtml,
  figures: figuresOfRun,
  source: runSource,
  table: renderTable,
};

export const diffRenderers: Renderers<DifferenceResult> = {
  csv: renderDiffCsv,
  markdown: renderDiffMarkdown,
  html: renderDiffHtml,
  figures: figuresOfDiff,
  source: diffSource,
  table: renderDiffTable,
};

export const sweepRenderers: Renderers<SweepResult> = {
  csv: renderSweepCsv,
  markdown: renderSweepMarkdown,
  html: renderSweepHtml,
  figures: figuresOfSweep,
  source: sweepSource,
  table: renderSweepTable,
};

export const predictionRenderers: Renderers<PredictionResult> = {
  csv: renderPredictionCsv,
  markdown: renderPredictionMarkdown,
  html: renderPredictionHtml,
  figures: figuresOfPrediction,
  source: predictionSource,
  table: renderPredictionTable,
};

/**
 * Checks where the output is to go, before any work.
 *
 * @throws CommanderError if two renderings want the same place; InputError for a path that cannot be written.
 */
export function checkOutput(options: OutputOptions): void {
  for (const [i, name] of renderingNames.entries()) {
    const twin = renderingNames.slice(0, i).find((other) => options[other] === options[name]);
    if (options[name] === undefined || twin === undefined) continue;
    const where = options[name] === "-" ? "stdout" : options[name];
    const message = `error: only one of --${twin} and --${name} can go to ${where}`;
    process.stderr.write(`${message}\n`);
    throw new CommanderError(2, "precision-lens.output", message);
  }
  for (const name of renderingNames) {
    const path = options[name];
    if (path !== undefined && path !== "-") expectWritable(path);
  }
  for (const folder of [options.svg, options.png]) {
    if (folder !== undefined) expectFolder(folder);
  }
}

/**
 * Writes a result where the options say; stdout gets the table, between what is to be said before and after it,
 * unless something else was sent there.
 */
export function emit(
  result: Result,
  options: OutputOptions,
  around?: { before: string; after: string },
): void {
  emitBy(lensRenderers, result, options, around);
}

export function emitBy<Of>(
  renderers: Renderers<Of>,
  result: Of,
  options: OutputOptions,
  { before = "", after = "" } = {},
): void {
  let stdout: string | null = null;
  for (const name of renderingNames) {
    const path = options[name];
    if (path === undefined) continue;
    const text = renderingOf(name, renderers, result);
    if (path === "-") stdout = text;
    else writeWhole(path, text);
  }
  for (const kind of ["svg", "png"] as const) {
    const folder = options[kind];
    if (folder === undefined) continue;
    writeFigures(folder, kind, renderers.figures(result), options.theme, renderers.source(result));
  }
  if (stdout !== null) process.stdout.write(stdout);
  else if (!options.quiet) process.stdout.write(before + renderers.table(result, terminal()) + after);
}

function renderingOf<Of>(
  name: (typeof renderingNames)[number],
  renderers: Renderers<Of>,
  result: Of,
): string {
  if (name === "json") return `${JSON.stringify(result)}\n`;
  return name === "html" ? renderers.html(result, htmlAssets()) : renderers[name](result);
}

/** What stdout can show. */
export function terminal(): Terminal {
  const { TERM, LC_ALL, LC_CTYPE, LANG, FORCE_COLOR } = process.env;
  const locale = LC_ALL || LC_CTYPE || LANG || "";
  const ascii = TERM === "dumb" || TERM === "linux" || locale === "C" || locale === "POSIX";
  const forced = FORCE_COLOR !== undefined && !["", "0", "false"].includes(FORCE_COLOR);
  return {
    // Some pseudo-terminals say that they have none.
    columns: process.stdout.columns || 80,
    colour: pc.isColorSupported && (process.stdout.isTTY || forced),
    unicode: !(process.stdout.isTTY && ascii),
  };
}
