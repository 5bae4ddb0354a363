import type { SeriesResult } from "../../lens/difference/series.js";
import { seriesChart } from "../charts/series-chart.js";
import { seriesCommandLine } from "../command.js";
import { bytes, percent, share } from "../numbers.js";
import { kindTable, seriesHeadline, seriesNote, seriesSize, seriesTable } from "../series.js";
import { type HtmlAssets, htmlDocument } from "./document.js";
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

/** A series of checkpoints as a page in one file. */
export function renderSeriesHtml(result: SeriesResult, assets: HtmlAssets): string {
  const { tool, skipped, input, settings } = result;
  const [sentence, ...lede] = seriesHeadline(result);
  const rows: [string, string][] = [
    ...input.checkpoints.map(({ path }, i): [string, string] => [i === 0 ? "start" : `step ${i}`, path]),
    ["compared in", settings.view ?? "the narrower format of each two tensors"],
    ["strict", settings.strict ? "yes" : "no"],
    ["tool", `${tool.name} ${tool.version}`],
  ];
  const body = [
    pageHeader(tool, sentence, [...lede, `${seriesSize(result)}.`], tiles(result)),
    "<main>",
    `<section>${figureHtml(seriesChart(result), "h2")}</section>`,
    section("steps", "Step by step", scrolling("Numbers by step", numberTable(seriesTable(result)))),
    section(
      "kinds",
      "Unchanged in each step, by module",
      scrolling("Unchanged by step and module", numberTable(kindTable(result))),
    ),
    skippedSection(skipped),
    section("settings", "Settings", facts(rows)),
    section("reproduce", "To compare again", commands([seriesCommandLine(result)])),
    "</main>",
    `<footer><p>${safe(seriesNote)}</p></footer>`,
  ];
  return htmlDocument(`${sentence} ${tool.name}`, body.filter(Boolean).join("\n"), null, assets);
}

function tiles({ steps }: SeriesResult): [string, string][] {
  const { change, sinceStart } = steps[steps.length - 1];
  const { delta } = change;
  return [
    ["of the weights unchanged since the start", percent(sinceStart.totals.apparentSparsity)],
    ["unchanged in the last step", percent(change.totals.apparentSparsity)],
    ["to send the last step, index and value", bytes(delta.indexValueBytes)],
    ["of the full size", percent(share(delta.indexValueBytes, delta.fullBytes))],
  ];
}
