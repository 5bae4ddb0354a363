import type { InspectedCounts, InspectedQuality, Inspection } from "../../lens/inspect/inspection.js";
import { printable } from "../../lens/printable.js";
import {
  type Block,
  type Fact,
  figures,
  inDocument,
  inMarkdown,
  lines,
  note,
  onPage,
  onTerminal,
  type Report,
  section,
  table,
  tableOf,
  text,
} from "../blocks/block.js";
import { textWidth } from "../blocks/terminal.js";
import type { NumberTable } from "../charts/figure.js";
import { decibels, qualityCharts } from "../charts/quality-chart.js";
import { wrap } from "../columns.js";
import { inspectCommandLine } from "../command.js";
import { count, counted, missing, percent, share, short } from "../numbers.js";
import { endOf } from "../shareable.js";
import { leftOutSentences } from "../skipped.js";
import { type NumberColumn, type TensorData, tensorData } from "../tensor-data.js";
import { styles } from "../terminal.js";

/** The maximum lines of a list; --json has all. */
const mostLines = 20;

/** The contents of a checkpoint. */
export function inspectionReport(inspection: Inspection): Report {
  const { tool, totals, formats, kinds, layers, skipped, noFloats, input, settings, lint } = inspection;
  const all = { ...totals, label: "all" };
  const byFormat = formats.map((row) => ({ ...row, label: row.format }));
  const size = `${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}`;
  const findings = `${counted(lint.length, "finding")}, most likely mistakes.`;
  const told = [
    ...leftOutSentences(skipped, totals.elements),
    ...(input.within === undefined ? [] : [`The tensors within "${printable(input.within)}".`]),
    ...(input.notes ?? []).map((said) => `Here ${printable(said)}.`),
  ];
  const numbers = table(numbersTable([...byFormat, ...(formats.length > 1 ? [all] : [])]));
  const byModule = qualityTable("module", [...kinds.map((row) => ({ ...row, label: row.kind })), all]);
  const ofLayers = (shown: typeof layers) =>
    qualityTable(
      "layer",
      shown.map((row) => ({ ...row, label: `${printable(row.stack, 30)}.${row.layer}` })),
    );
  const noFloatsNote =
    noFloats.length > 0
      ? note(`${counted(noFloats.length, "tensor")} of no floats: ${names(noFloats)}.`)
      : null;
  return {
    tool,
    title: "What the checkpoint has",
    headline: [...told, `${size}.`, ...(lint.length > 0 ? [findings] : [])],
    lede: scalesSentence(inspection),
    tiles: tiles(inspection),
    blocks: [
      onTerminal(() => [
        text([size], "strong"),
        text(told),
        numbers,
        text(scalesSentence(inspection)),
        byModule,
        ofLayers(thinned(layers)),
        note(...sampleNotes(inspection, mostLines)),
        lintBlock(inspection),
        noFloatsNote,
      ]),
      inMarkdown(() => [text([...told, `${size}.`, ...scalesSentence(inspection)])]),
      inDocument(() => [
        section("Findings", [table(lintTable(inspection))]),
        section("Numbers by format", [numbers, noFloatsNote]),
      ]),
      onPage(() => [figures(...qualityCharts(inspection))]),
      inDocument(() => [
        section("In other formats, by module", [byModule]),
        section("In other formats, by layer", [ofLayers(layers)]),
      ]),
      inMarkdown(() => [note(...sampleNotes(inspection, layers.length))]),
      onPage(() => [{ kind: "tensors", data: tensorNumbers(inspection), labels: [""], note: "" }]),
    ],
    skipped,
    settings: () => [
      ["checkpoint", input.path],
      ["tried in", settings.as.length === 0 ? "no other format (--as)" : settings.as.join(", ")],
      ...(settings.as.length === 0
        ? []
        : [
            [
              "squares of 128 x 128 tried of a tensor",
              settings.sample === null ? "all" : String(settings.sample),
            ] as const,
          ]),
    ],
    again: () => ({ heading: "To inspect again", commands: [inspectCommandLine(inspection)] }),
    meaning: [...sampleNotes(inspection, layers.length), meaning],
    source: `${size}; ${endOf(input.path)}`,
  };
}

const meaning =
  "Subnormal: below the smallest normal number of the format that they are stored in; of codes, under their scale. " +
  "Rms: the root of the mean square of finite numbers.";

function tiles({ totals, lint, formats }: Inspection): Fact[] {
  return [
    ["weights", count(totals.elements)],
    [formats.length === 1 ? "format" : "formats", formats.map(({ format }) => format).join(", ")],
    ["of the weights are zero", percent(share(totals.zeros, totals.elements))],
    ["findings", count(lint.length)],
  ];
}

function lintTable({ lint }: Inspection): NumberTable {
  return tableOf(lint, [
    ["tensor", ({ tensor }) => printable(tensor, 120)],
    ["finding", ({ finding }) => printable(finding, 300)],
    ["rule", ({ rule }) => rule],
  ]);
}

function tensorNumbers({ tensors, settings }: Inspection): TensorData {
  const columns: NumberColumn[] = [
    { heading: "weights", as: "count" },
    { heading: "zero", as: "percent" },
    { heading: "largest", as: "ratio" },
    { heading: "rms", as: "ratio" },
    ...settings.as.map((format) => ({ heading: `${printable(format)} dB`, as: "ratio" as const })),
  ];
  const rows = tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.shape,
    note: tensor.format,
    cases: [
      [
        tensor.elements,
        share(tensor.zeros, tensor.elements),
        tensor.largest,
        tensor.rms,
        ...(tensor.as ?? []).map(({ sqnr }) => sqnr),
      ],
    ],
  }));
  return tensorData(columns, rows);
}

type Row = InspectedCounts & { readonly label: string; readonly tensors: number };

function numbersTable(rows: readonly Row[]): NumberTable {
  return tableOf(rows, [
    ["format", ({ label }) => printable(label)],
    ["tensors", ({ tensors }) => count(tensors)],
    ["weights", ({ elements }) => count(elements)],
    ["zero", ({ zeros, elements }) => percent(share(zeros, elements))],
    ["subnormal", ({ subnormals, elements }) => percent(share(subnormals, elements))],
    ["smallest", ({ smallest }) => magnitude(smallest)],
    ["largest", ({ largest }) => magnitude(largest)],
    ["rms", ({ rms }) => magnitude(rms)],
    ...(rows.some(({ nonfinite }) => nonfinite > 0)
      ? [["nonfinite", ({ nonfinite }: Row) => count(nonfinite)] as const]
      : []),
  ]);
}

function magnitude(x: number | null): string {
  if (x === null) return missing;
  return x !== 0 && (x < 1e-3 || x >= 1e5) ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

/** Three columns per format: fidelity, and what is lost. */
function qualityTable(heading: string, rows: readonly Row[]): Block | null {
  const [first] = rows;
  if (first?.as === undefined) return null;
  const shown = first.as.flatMap(({ format }, i) => {
    const column = (name: string, cell: (quality: InspectedQuality) => string) =>
      [name, ({ as = [] }: Row) => cell(as[i])] as const;
    return [
      column(`${printable(format)} dB`, decibels),
      column("to zero", ({ flushed, elements }) => percent(share(flushed, elements))),
      column("clipped", ({ clipped, elements }) => percent(share(clipped, elements))),
    ];
  });
  return table(tableOf(rows, [[heading, ({ label }) => label], ...shown]), {
    joined: ["to zero", "clipped"],
  });
}

function thinned<T>(rows: readonly T[]): readonly T[] {
  if (rows.length <= mostLines) return rows;
  return Array.from(
    { length: mostLines },
    (_, i) => rows[Math.round((i * (rows.length - 1)) / (mostLines - 1))],
  );
}

/** @param most layers that a table shows. */
function sampleNotes({ settings: { as, sample }, totals, layers }: Inspection, most: number): string[] {
  if (as.length === 0) return [];
  const tried = totals.as?.[0]?.elements ?? 0;
  const part =
    sample === null || tried === totals.elements - totals.nonfinite
      ? []
      : [
          `Formats were tried on ${counted(tried, "weight")}: at most ${counted(sample, "square")} of 128 x 128 of each tensor.`,
        ];
  const broken = (totals.as ?? []).flatMap(({ format, storedNaN = 0 }) =>
    storedNaN > 0
      ? [
          `${counted(storedNaN, "finite number")} that ${storedNaN === 1 ? "shares" : "share"} a scale with a NaN or Inf would be NaN in ${printable(format)}; dB is of the rest.`,
        ]
      : [],
  );
  const shown = layers.length > most ? [`${most} of ${layers.length} layers are shown; --json has all.`] : [];
  return [
    "dB: signal to quantization noise. To zero: not zero, and stored as zero. Clipped: beyond the largest number, under the scale of its block.",
    ...broken,
    ...part,
    ...shown,
  ];
}

function scalesSentence({ tensors }: Inspection): string[] {
  const all = tensors.flatMap(({ scales = [] }) => scales);
  if (all.length === 0) return [];
  const total = all.reduce((sum, { count: n }) => sum + n, 0);
  const [smallest, largest] = [
    Math.min(...all.flatMap(({ smallest: number }) => (number === null ? [] : [number]))),
    Math.max(...all.flatMap(({ largest: number }) => (number === null ? [] : [number]))),
  ];
  const formats = [...new Set(all.map(({ format }) => format))].join(", ");
  return [
    `${counted(total, "scale")} (${printable(formats)}) in ${counted(all.length, "tensor")}, from ${short(smallest)} to ${short(largest)}.`,
  ];
}

function lintBlock({ lint }: Inspection): Block | null {
  if (lint.length === 0) return null;
  const shown = lint
    .slice(0, mostLines)
    .map(({ tensor, finding, rule }) => `  ${printable(tensor, 120)}: ${printable(finding, 300)} (${rule})`);
  const more = lint.length > mostLines ? [`  and ${count(lint.length - mostLines)} more`] : [];
  return lines((terminal) => [
    styles(terminal).bold(`${counted(lint.length, "finding")}:`),
    ...[...shown, ...more].flatMap((line) => wrap(line, textWidth(terminal))),
  ]);
}

function names(tensors: Inspection["noFloats"]): string {
  const shown = tensors.slice(0, 3).map(({ name, dtype }) => `${printable(name, 80)} (${dtype})`);
  return shown.join(", ") + (tensors.length > 3 ? ` and ${count(tensors.length - 3)} more` : "");
}
