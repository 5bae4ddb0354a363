import type { InspectedCounts, InspectedQuality, Inspection } from "../lens/inspect/inspection.js";
import { printable } from "../lens/printable.js";
import { type Column, fitted, wrap } from "./columns.js";
import { count, counted, missing, percent, share, short } from "./numbers.js";
import { leftOutSentences, skippedLines } from "./skipped.js";
import { plainTerminal, styles, type Terminal } from "./terminal.js";

/** Lines of a list that are shown; --json has all. */
const mostLines = 20;

/** What a checkpoint holds as text for a terminal, or for a pipe. */
export function renderInspection(inspection: Inspection, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const { totals, formats, kinds, layers, lint, skipped, noFloats, input } = inspection;
  const width = Math.min(terminal.columns, 100);
  const all = { ...totals, label: "all" };
  const notes = [
    ...(input.within === undefined ? [] : [`The tensors within "${printable(input.within)}".`]),
    ...(input.notes ?? []).map((note) => `Here ${printable(note)}.`),
  ];
  const blocks = [
    [bold(`${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}`)],
    [...leftOutSentences(skipped, totals.elements), ...notes].flatMap((note) => wrap(note, width)),
    fitted(
      numbersTable("format", [
        ...formats.map((row) => ({ ...row, label: row.format })),
        ...(formats.length > 1 ? [all] : []),
      ]),
      terminal.columns,
      bold,
    ),
    scalesLines(inspection, width),
    qualityTable("module", [...kinds.map((row) => ({ ...row, label: row.kind })), all], terminal),
    qualityTable(
      "layer",
      thinned(layers).map((row) => ({ ...row, label: `${printable(row.stack, 30)}.${row.layer}` })),
      terminal,
    ),
    sampleNote(inspection)
      .flatMap((note) => wrap(note, width))
      .map(dim),
    lintLines(lint, width, bold),
    noFloats.length > 0
      ? wrap(`${counted(noFloats.length, "tensor")} of no floats: ${names(noFloats)}.`, width).map(dim)
      : [],
    skipped.length > 0
      ? skippedLines(skipped)
          .flatMap((line) => wrap(line, width))
          .map(dim)
      : [],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

type Row = InspectedCounts & { readonly label: string; readonly tensors: number };

function numbersTable(heading: string, rows: readonly Row[]): Column[] {
  const column = (name: string, cell: (row: Row) => string): Column => ({
    heading: name,
    align: "right",
    cells: rows.map(cell),
  });
  const columns: Column[] = [
    { heading, align: "left", cells: rows.map(({ label }) => printable(label)) },
    column("tensors", ({ tensors }) => count(tensors)),
    column("weights", ({ elements }) => count(elements)),
    column("zero", ({ zeros, elements }) => percent(share(zeros, elements))),
    column("subnormal", ({ subnormals, elements }) => percent(share(subnormals, elements))),
    column("smallest", ({ smallest }) => magnitude(smallest)),
    column("largest", ({ largest }) => magnitude(largest)),
    column("rms", ({ rms }) => magnitude(rms)),
  ];
  if (rows.some(({ nonfinite }) => nonfinite > 0))
    columns.push(column("nonfinite", ({ nonfinite }) => count(nonfinite)));
  return columns;
}

function magnitude(x: number | null): string {
  if (x === null) return missing;
  return x !== 0 && (x < 1e-3 || x >= 1e5) ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

/** For each format three columns: how faithful, and what is lost. */
function qualityTable(heading: string, rows: readonly Row[], terminal: Terminal): string[] {
  const [first] = rows;
  if (first?.as === undefined) return [];
  const labels: Column = { heading, align: "left", cells: rows.map(({ label }) => label) };
  const columns = first.as.flatMap(({ format }, i): Column[] => {
    const column = (name: string, cell: (quality: InspectedQuality) => string): Column => ({
      heading: name,
      align: "right",
      cells: rows.map(({ as = [] }) => cell(as[i])),
    });
    return [
      column(`${printable(format)} dB`, decibels),
      { ...column("to zero", ({ flushed, elements }) => percent(share(flushed, elements))), joined: true },
      { ...column("clipped", ({ clipped, elements }) => percent(share(clipped, elements))), joined: true },
    ];
  });
  return fitted([labels, ...columns], terminal.columns, styles(terminal).bold);
}

/** Signal to quantization noise; "exact" where storage changes nothing. */
function decibels({ sqnr, elements }: InspectedQuality): string {
  if (elements === 0) return missing;
  return sqnr === null ? "exact" : sqnr.toFixed(1);
}

function thinned<T>(rows: readonly T[]): readonly T[] {
  if (rows.length <= mostLines) return rows;
  return Array.from(
    { length: mostLines },
    (_, i) => rows[Math.round((i * (rows.length - 1)) / (mostLines - 1))],
  );
}

function sampleNote({ settings: { as, sample }, totals, layers }: Inspection): string[] {
  if (as.length === 0) return [];
  const tried = totals.as?.[0]?.elements ?? 0;
  const part =
    sample === null || tried === totals.elements
      ? []
      : [
          `Formats were tried on ${counted(tried, "weight")}: at most ${sample} squares of 128 x 128 of each tensor.`,
        ];
  const shown =
    layers.length > mostLines ? [`${mostLines} of ${layers.length} layers are shown; --json has all.`] : [];
  return [
    "dB: signal to quantization noise. To zero: not zero, and stored as zero. Clipped: beyond the largest number, under the scale of its block.",
    ...part,
    ...shown,
  ];
}

function scalesLines({ tensors }: Inspection, width: number): string[] {
  const all = tensors.flatMap(({ scales = [] }) => scales);
  if (all.length === 0) return [];
  const total = all.reduce((sum, { count: n }) => sum + n, 0);
  const [smallest, largest] = [
    Math.min(...all.flatMap(({ smallest: number }) => (number === null ? [] : [number]))),
    Math.max(...all.flatMap(({ largest: number }) => (number === null ? [] : [number]))),
  ];
  const formats = [...new Set(all.map(({ format }) => format))].join(", ");
  return wrap(
    `${counted(total, "scale")} (${printable(formats)}) in ${counted(all.length, "tensor")}, from ${short(smallest)} to ${short(largest)}.`,
    width,
  );
}

function lintLines(lint: Inspection["lint"], width: number, bold: (text: string) => string): string[] {
  if (lint.length === 0) return [];
  const shown = lint
    .slice(0, mostLines)
    .flatMap(({ tensor, finding, rule }) =>
      wrap(`  ${printable(tensor, 120)}: ${printable(finding, 300)} (${rule})`, width),
    );
  const more = lint.length > mostLines ? [`  and ${count(lint.length - mostLines)} more`] : [];
  return [bold(`${counted(lint.length, "finding")}:`), ...shown, ...more];
}

function names(tensors: Inspection["noFloats"]): string {
  const shown = tensors.slice(0, 3).map(({ name, dtype }) => `${printable(name, 80)} (${dtype})`);
  return shown.join(", ") + (tensors.length > 3 ? ` and ${count(tensors.length - 3)} more` : "");
}
