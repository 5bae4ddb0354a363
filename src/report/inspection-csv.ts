import type { InspectedCounts, Inspection } from "../lens/inspect/inspection.js";
import { type CsvColumn, cellsOf, csv, fields, headingsOf } from "./csv-text.js";

const counts: readonly CsvColumn<InspectedCounts>[] = fields(
  ["elements", "zeros", "subnormals", "nonfinite", "smallest", "largest", "rms"],
  (counted: InspectedCounts) => counted,
);

/** The contents of a checkpoint as CSV: one row per tensor, with four columns for each format that was tried. */
export function renderInspectionCsv({ tensors, settings }: Inspection): string {
  const tried = settings.as.flatMap((format, i) =>
    fields(["elements", "clipped", "flushed", "sqnr"], ({ as = [] }: InspectedCounts) => as[i], `${format}.`),
  );
  const columns = [...counts, ...tried];
  return csv([
    ["tensor", "shape", "kind", "stack", "layer", "format", ...headingsOf(columns)],
    ...tensors.map((tensor) => [
      ...[tensor.name, tensor.shape.join("x"), tensor.kind, tensor.stack ?? "", String(tensor.layer ?? "")],
      ...[tensor.format, ...cellsOf(columns, tensor)],
    ]),
  ]);
}
