import type { Geometry, MeanMeasures, ModelGeometry } from "../lens/geometry-result.js";
import { printable } from "../lens/printable.js";
import { type Column, fitted, wrap } from "./columns.js";
import {
  columnMeasures,
  courseSentences,
  figure,
  geometryNotes,
  geometrySentence,
  isRecorded,
  measureLabel,
  measureRows,
  modelsOf,
  nullLabel,
  shortLabel,
  times,
} from "./geometry.js";
import { curveTable, type GeometryTable } from "./geometry-markdown.js";
import { count, percent } from "./numbers.js";
import { styles, type Terminal } from "./terminal.js";

/** Rows of layers that are shown; of deeper stacks those with spectra first. */
const mostLayers = 24;

/** The geometry of a comparison as blocks of lines. */
export function geometryBlocks(geometry: Geometry, first: string, terminal: Terminal): string[][] {
  const { bold, dim } = styles(terminal);
  const width = Math.min(terminal.columns, 100);
  const models = modelsOf(geometry, first);
  return [
    ...models.flatMap(([path, model]) => [
      [
        ...(models.length > 1 ? [bold(printable(path, width))] : []),
        ...wrap(geometrySentence(model.totals, isRecorded(geometry)), width),
      ],
      ...(model.totals.measures.size.measured === null
        ? []
        : [
            fitted(totalsTable(model), width, bold),
            fitted(kindTable(model), width, bold),
            ...layerTables(model, width, bold),
          ]),
    ]),
    ...(geometry.curve ? [fitted(curveColumns(curveTable(geometry.curve)), width, bold)] : []),
    ...courseSentences(geometry).map((sentence) => wrap(sentence, width)),
    ...(geometry.jaccard
      ? [
          fitted(
            overlapTable(
              geometry,
              models.map(([path]) => path),
            ),
            width,
            bold,
          ),
        ]
      : []),
    geometryNotes(geometry)
      .flatMap((note) => wrap(note, width))
      .map(dim),
  ];
}

function right(heading: string, cells: readonly string[]): Column {
  return { heading, align: "right", cells };
}

/** Measured, expected and ratio in all. */
function totalsTable({ totals }: ModelGeometry): Column[] {
  const rows = measureRows(totals);
  return [
    { heading: "geometry", align: "left", cells: rows.map(([name]) => measureLabel(name)) },
    right(
      "measured",
      rows.map(([name, { measured }]) => figure(name, measured)),
    ),
    right(
      "expected",
      rows.map(([name, { expected }]) => figure(name, expected)),
    ),
    right(
      "ratio",
      rows.map(([, { ratio }]) => times(ratio)),
    ),
    { heading: "by", align: "left", cells: rows.map(([, measure]) => nullLabel(measure.null)) },
  ];
}

interface Row extends MeanMeasures {
  readonly name: string;
}

function ratioTable(heading: string, rows: readonly Row[]): Column[] {
  const names: Column = { heading, align: "left", cells: rows.map(({ name }) => name) };
  const measured = [
    right(
      "weights",
      rows.map(({ elements }) => count(elements)),
    ),
    right(
      "changed",
      rows.map(({ measures }) => percent(measures.changed.measured)),
    ),
  ];
  const ratios = columnMeasures
    .filter((name) => rows.some(({ measures }) => measures[name].ratio !== null))
    .map((name) =>
      right(
        shortLabel(name),
        rows.map(({ measures }) => times(measures[name].ratio)),
      ),
    );
  return [names, ...measured, ...ratios];
}

function kindTable({ kinds }: ModelGeometry): Column[] {
  return ratioTable(
    "ratio by kind",
    kinds.map((kind) => ({ ...kind, name: kind.kind })),
  );
}

function layerTables({ layers }: ModelGeometry, width: number, bold: (line: string) => string): string[][] {
  if (layers.length < 2) return [];
  const withSpectra = layers.filter(({ spectra }) => spectra);
  const shown = layers.length <= mostLayers ? layers : withSpectra.slice(0, mostLayers);
  const stacks = new Set(shown.map(({ stack }) => stack)).size;
  const columns = ratioTable(
    "ratio by layer",
    shown.map((layer) => ({
      ...layer,
      name: stacks > 1 ? `${printable(layer.stack, 30)}.${layer.layer}` : String(layer.layer),
    })),
  );
  const lines = fitted(columns, width, bold);
  if (shown.length < layers.length)
    lines.push(`(${shown.length} of ${layers.length} layers; --json has all)`);
  return [lines];
}

function curveColumns({ headings: [, ...measures], rows }: GeometryTable): Column[] {
  const names: Column = { heading: "after updates", align: "right", cells: rows.map(([updates]) => updates) };
  const columns = measures.map((name, i) =>
    right(
      name,
      rows.map((cells) => cells[i + 1]),
    ),
  );
  return [names, ...columns];
}

/** Which changed weights two models share. */
function overlapTable({ jaccard = [] }: Geometry, paths: readonly string[]): Column[] {
  const name = (model: number) => printable(paths[model].split("/").at(-1) ?? "", 24);
  const cells = (side: "measured" | "expected") => jaccard.map(({ totals }) => percent(totals[side]));
  return [
    {
      heading: "changed weights in both, of those in either",
      align: "left",
      cells: jaccard.map(({ models: [a, b] }) => `${name(a)} and ${name(b)}`),
    },
    right("measured", cells("measured")),
    right("by size", cells("expected")),
    right(
      "ratio",
      jaccard.map(({ totals }) => times(totals.ratio)),
    ),
  ];
}
