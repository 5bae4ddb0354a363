import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { SeriesResult } from "../lens/difference/series.js";
import type { Inspection } from "../lens/inspect/inspection.js";
import type { LearnResult } from "../lens/learning/learning.js";
import type { RunComparison } from "../lens/learning/run-comparison.js";
import type { Result } from "../lens/run/result.js";
import type { Part } from "../lens/shard/part.js";
import type { PredictionResult } from "../lens/study/prediction.js";
import type { SweepResult } from "../lens/study/sweep.js";
import { figuresOf, type Report, sourceOf } from "../report/blocks/block.js";
import { shareable } from "../report/shareable.js";
import type { OutputOptions } from "./common-options.js";
import { type Streams, terminal, wrappedFor } from "./streams.js";
import { expectFolder, writeFigures } from "./write-figures.js";
import { expectWritable, writeWhole } from "./write-output.js";

/** The renderings that can go to a file or, with -, to stdout. */
const renderingNames = ["json", "csv", "markdown", "html"] as const;

/** The renderers of a kind of result, loaded on demand: loading all takes as long as a small comparison. */
export interface Renderers<Of> {
  /** The report, for every rendering but JSON and CSV. */
  readonly report: () => Promise<(result: Of) => Report>;
  readonly csv: () => Promise<(result: Of) => string>;
}

const lensRenderers: Renderers<Result> = {
  report: async () => (await import("../report/kinds/run.js")).runReport,
  csv: async () => (await import("../report/csv.js")).renderCsv,
};

export const diffRenderers: Renderers<DifferenceResult> = {
  report: async () => (await import("../report/kinds/diff.js")).diffReport,
  csv: async () => (await import("../report/diff-csv.js")).renderDiffCsv,
};

export const seriesRenderers: Renderers<SeriesResult> = {
  report: async () => (await import("../report/kinds/series.js")).seriesReport,
  csv: async () => (await import("../report/series.js")).renderSeriesCsv,
};

export const sweepRenderers: Renderers<SweepResult> = {
  report: async () => (await import("../report/kinds/sweep.js")).sweepReport,
  csv: async () => (await import("../report/sweep-csv.js")).renderSweepCsv,
};

export const predictionRenderers: Renderers<PredictionResult> = {
  report: async () => (await import("../report/kinds/prediction.js")).predictionReport,
  csv: async () => (await import("../report/prediction.js")).renderPredictionCsv,
};

export const inspectionRenderers: Renderers<Inspection> = {
  report: async () => (await import("../report/kinds/inspection.js")).inspectionReport,
  csv: async () => (await import("../report/inspection-csv.js")).renderInspectionCsv,
};

export const comparisonRenderers: Renderers<RunComparison> = {
  report: async () => (await import("../report/kinds/comparison.js")).comparisonReport,
  csv: async () => (await import("../report/comparison.js")).renderComparisonCsv,
};

export const learnRenderers: Renderers<LearnResult> = {
  report: async () => (await import("../report/kinds/learning.js")).learnReport,
  csv: async () => (await import("../report/learning-csv.js")).renderLearnCsv,
};

/**
 * Checks the output paths before any work.
 *
 * @throws CommanderError if two renderings have the same path; InputError for a path that cannot be written.
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

/** The files named by these options, and existing figures in their folders, which may be replaced. */
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
 * Writes a result according to the options. stdout gets the table, with text before and after it, unless a rendering
 * goes there.
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
    const report = (await renderers.report())(shareable(result));
    writeFigures(folder, kind, figuresOf(report), options.theme, sourceOf(report));
  }
  if (stdout !== null) streams.out.write(stdout);
  else if (!options.quiet) {
    const { terminalText } = await import("../report/blocks/terminal.js");
    const report = (await renderers.report())(result);
    streams.out.write(before + terminalText(report, terminal(streams)) + after);
  }
}

async function renderingOf<Of extends { readonly input: object }>(
  name: (typeof renderingNames)[number],
  renderers: Renderers<Of>,
  result: Of,
): Promise<string> {
  if (name === "json") return `${JSON.stringify(result)}\n`;
  if (name === "csv") return (await renderers.csv())(shareable(result));
  const report = (await renderers.report())(shareable(result));
  if (name === "markdown") return (await import("../report/blocks/markdown.js")).markdownText(report);
  const { htmlPage } = await import("../report/html/page.js");
  return htmlPage(report, (await import("./html-assets.js")).htmlAssets());
}
