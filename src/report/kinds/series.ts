import type { SeriesResult } from "../../lens/difference/series.js";
import {
  type Fact,
  figures,
  inDocument,
  inMarkdown,
  onPage,
  onTerminal,
  type Report,
  section,
  table,
  text,
} from "../blocks/block.js";
import { seriesChart } from "../charts/series-chart.js";
import { seriesCommandLine } from "../command.js";
import { bytes, percent, share } from "../numbers.js";
import { kindTable, seriesHeadline, seriesNote, seriesSize, seriesTable } from "../series.js";
import { endOf } from "../shareable.js";

/** A series of checkpoints. */
export function seriesReport(result: SeriesResult): Report {
  const { tool, input, settings, skipped } = result;
  const headline = seriesHeadline(result);
  const size = seriesSize(result);
  const steps = table(seriesTable(result), { align: "ll", notes: [seriesNote(result)] });
  return {
    tool,
    title: "What changed, step by step",
    headline,
    lede: [`${size}.`],
    tiles: tiles(result),
    blocks: [
      onTerminal(() => [text([size], "strong"), steps, text([headline.join(" ")])]),
      inMarkdown(() => [text([headline.join(" "), `${size}.`]), steps]),
      onPage(() => [figures(seriesChart(result)), section("Step by step", [table(seriesTable(result))])]),
      inDocument(() => [section("Unchanged in each step, by module", [table(kindTable(result))])]),
    ],
    skipped,
    settings: () => [
      ...input.checkpoints.map(({ path }, i): Fact => [i === 0 ? "start" : `step ${i}`, path]),
      ["compared in", settings.view ?? "the narrower format of each two tensors"],
      ["strict", settings.strict ? "yes" : "no"],
    ],
    again: () => ({ heading: "To compare again", commands: [seriesCommandLine(result)] }),
    meaning: [seriesNote(result)],
    source: `${size}; from ${endOf(input.checkpoints[0].path)}`,
  };
}

function tiles({ steps }: SeriesResult): Fact[] {
  const { change, sinceStart } = steps[steps.length - 1];
  const { delta } = change;
  return [
    ["of the weights unchanged since the start", percent(sinceStart.totals.apparentSparsity)],
    ["unchanged in the last step", percent(change.totals.apparentSparsity)],
    ["to send the last step, index and value", bytes(delta.indexValueBytes)],
    ["of the full size", percent(share(delta.indexValueBytes, delta.fullBytes))],
  ];
}
