import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { SeriesResult } from "../lens/difference/series.js";
import type { LearnResult } from "../lens/learning/learning.js";
import type { RunComparison } from "../lens/learning/run-comparison.js";
import type { Result } from "../lens/run/result.js";
import type { Part } from "../lens/shard/part.js";
import type { PredictionResult } from "../lens/study/prediction.js";
import type { SweepResult } from "../lens/study/sweep.js";
import type { Figure } from "../report/charts/figure.js";
import type { HtmlAssets } from "../report/html/document.js";
import { shareable } from "../report/shareable.js";
import type { Terminal } from "../report/terminal.js";
import type { OutputOptions } from "./common-options.js";
import { type Streams, terminal, wrappedFor } from "./streams.js";
import { expectFolder, writeFigures } from "./write-figures.js";
import { expectWritable, writeWhole } from "./write-output.js";

/** The renderings that can go to a file or, named -, to stdout; JSON is that of any object. */
const renderingNames = ["json", "csv", "markdown", "html"] as const;

/** How an object is rendered. What is not asked for is not loaded: all of it takes as long as a small comparison. */
export interface Renderers<Of> {
  readonly csv: () => Promise<(result: Of) => string>;
  readonly markdown: () => Promise<(result: Of) => string>;
  readonly html: () => Promise<(result: Of, assets: HtmlAssets) => string>;
  readonly figures: () => Promise<(result: Of) => readonly Figure[]>;
  /** What figures are of, at the foot of a slide. */
  readonly source: () => Promise<(result: Of) => string>;
  readonly table: () => Promise<(result: Of, terminal: Terminal) => string>;
}

const lensRenderers: Renderers<Result> = {
  csv: async () => (await import("../report/csv.js")).renderCsv,
  markdown: async () => (await import("../report/markdown.js")).renderMarkdown,
  html: async () => (await import("../report/html/html.js")).renderHtml,
  figures: async () => (await import("../report/charts/figures.js")).figuresOfRun,
  source: async () => (await import("../report/source-line.js")).runSource,
  table: async () => (await import("../report/table.js")).renderTable,
};

export const diffRenderers: Renderers<DifferenceResult> = {
  csv: async () => (await import("../report/diff-csv.js")).renderDiffCsv,
  markdown: async () => (await import("../report/diff-markdown.js")).renderDiffMarkdown,
  html: async () => (await import("../report/html/diff-html.js")).renderDiffHtml,
  figures: async () => (await import("../report/charts/figures.js")).figuresOfDiff,
  source: async () => (await import("../report/source-line.js")).diffSource,
  table: async () => (await import("../report/diff-table.js")).renderDiffTable,
};

export const seriesRenderers: Renderers<SeriesResult> = {
  csv: async () => (await import("../report/series.js")).renderSeriesCsv,
  markdown: async () => (await import("../report/series.js")).renderSeriesMarkdown,
  html: async () => (await import("../report/html/series-html.js")).renderSeriesHtml,
  figures: async () => (await import("../report/charts/series-chart.js")).figuresOfSeries,
  source: async () => (await import("../report/series.js")).seriesSource,
  table: async () => (await import("../report/series.js")).renderSeriesTable,
};

export const sweepRenderers: Renderers<SweepResult> = {
  csv: async () => (await import("../report/sweep-csv.js")).renderSweepCsv,
  markdown: async () => (await import("../report/sweep-markdown.js")).renderSweepMarkdown,
  html: async () => (await import("../report/html/sweep-html.js")).renderSweepHtml,
  figures: async () => (await import("../report/charts/sweep-chart.js")).figuresOfSweep,
  source: async () => (await import("../report/source-line.js")).sweepSource,
  table: async () => (await import("../report/sweep-table.js")).renderSweepTable,
};

export const predictionRenderers: Renderers<PredictionResult> = {
  csv: async () => (await import("../report/prediction.js")).renderPredictionCsv,
  markdown: async () => (await import("../report/prediction.js")).renderPredictionMarkdown,
  html: async () => (await import("../report/html/prediction-html.js")).renderPredictionHtml,
  figures: async () => (await import("../report/charts/prediction-chart.js")).figuresOfPrediction,
  source: async () => (await import("../report/source-line.js")).predictionSource,
  table: async () => (await import("../report/prediction.js")).renderPredictionTable,
};

export const comparisonRenderers: Renderers<RunComparison> = {
  csv: async () => (await import("../report/comparison.js")).renderComparisonCsv,
  markdown: async () => (await import("../report/comparison.js")).renderComparisonMarkdown,
  html: async () => (await import("../report/html/comparison-html.js")).renderComparisonHtml,
  figures: async () => (await import("../report/charts/comparison-charts.js")).figuresOfComparison,
  source: async () => (await import("../report/source-line.js")).comparisonSource,
  table: async () => (await import("../report/comparison.js")).renderComparisonTable,
};

export const learnRenderers: Renderers<LearnResult> = {
  csv: async () => (await import("../report/learning-csv.js")).renderLearnCsv,
  markdown: async () => (await import("../report/learning.js")).renderLearnMarkdown,
  html: async () => (await import("../report/html/learning-html.js")).renderLearnHtml,
  figures: async () => (await import("../report/charts/learning-charts.js")).figuresOfLearning,
  source: async () => (await import("../report/source-line.js")).learnSource,
  table: async () => (await import("../report/learning.js")).renderLearnTable,
};

/**
 * Checks where the output is to go, before any work.
 *
 * @throws CommanderError if two renderings want the same place; InputError for a path that cannot be written.
 */
export function checkOutput(options: OutputOptions, { err }: Streams): void {
  for (const [i, name] of renderingNames.entries()) {
    const twin = renderingNames.slice(0, i).find((other) => options[other] === options[name]);
    if (options[name] === undefined || twin === undefined) continue;
    const where = options[name] === "-" ? "stdout" : options[name];
    const message = `error: only one of --${twin} and --${name} can go to ${where}`;
    err.write(wrappedFor(err, `${message}\n`));
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

/** The files that these options name; of folders for figures the figures that are there, which may be replaced. */
export function outputFiles(options: OutputOptions): string[] {
  const files = renderingNames.flatMap((name) => options[name] ?? []).filter((path) => path !== "-");
  for (const kind of ["svg", "png"] as const) {
    const folder = options[kind];
    if (folder === undefined || !existsSync(folder)) continue;
    const figures = readdirSync(folder).filter((name) => name.endsWith(`.${kind}`));
    files.push(...figures.map((name) => join(folder, name)));
  }
  return files;
}

/**
 * Writes a result where the options say; stdout gets the table, between what is to be said before and after it,
 * unless something else was sent there.
 */
export async function emit(
  result: Result,
  options: OutputOptions,
  streams: Streams,
  around?: { before: string; after: string },
): Promise<void> {
  await emitBy(lensRenderers, result, options, streams, around);
}

export async function emitBy<Of extends { readonly input: object }>(
  renderers: Renderers<Of>,
  result: Of,
  options: OutputOptions,
  streams: Streams,
  { before = "", after = "" } = {},
): Promise<void> {
  const { part } = result as { readonly part?: Part };
  if (part !== undefined && !options.quiet) (await import("./shard.js")).tellPart(part, streams.err);
  let stdout: string | null = null;
  for (const name of renderingNames) {
    const path = options[name];
    if (path === undefined) continue;
    const text = await renderingOf(name, renderers, result);
    if (path === "-") stdout = text;
    else if (part !== undefined && name === "json")
      (await import("./write-part.js")).writePart(path, text, part);
    else writeWhole(path, text);
  }
  for (const kind of ["svg", "png"] as const) {
    const folder = options[kind];
    if (folder === undefined) continue;
    const [figures, source] = [await renderers.figures(), await renderers.source()];
    const shared = shareable(result);
    writeFigures(folder, kind, figures(shared), options.theme, source(shared));
  }
  if (stdout !== null) streams.out.write(stdout);
  else if (!options.quiet) {
    const table = await renderers.table();
    streams.out.write(before + table(result, terminal(streams)) + after);
  }
}

async function renderingOf<Of extends { readonly input: object }>(
  name: (typeof renderingNames)[number],
  renderers: Renderers<Of>,
  result: Of,
): Promise<string> {
  if (name === "json") return `${JSON.stringify(result)}\n`;
  if (name === "html") {
    const { htmlAssets } = await import("./font.js");
    return (await renderers.html())(shareable(result), htmlAssets());
  }
  return (await renderers[name]())(shareable(result));
}
