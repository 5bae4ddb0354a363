import type {
  Delta,
  DeltaFile,
  DifferenceResult,
  DifferenceTotals,
  Heatmap,
} from "../lens/difference/difference-result.js";
import { printable } from "../lens/printable.js";
import { leastDistance } from "../lens/ulp-distance.js";
import { byBytesLines, codeLines } from "./code-lines.js";
import { besideEachOther, type Column, fitted, layOut, wrap } from "./columns.js";
import { diffHeadline, hiddenNote, mixedNote, withinNote } from "./diff-headline.js";
import { geometryBlocks } from "./geometry-table.js";
import { bytes, count, counted, missing, percent, share } from "./numbers.js";
import { otherNote } from "./other-note.js";
import { skippedLines } from "./skipped.js";
import { plainTerminal, shade, styles, type Terminal } from "./terminal.js";

/** A comparison of two checkpoints as text for a terminal, or for a pipe. */
export function renderDiffTable(result: DifferenceResult, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const { totals, kinds, heatmaps, delta, geometry, skipped } = result;
  const width = Math.min(terminal.columns, 100);
  const boldFirst = ([first, ...rest]: string[]) => [bold(first), ...rest];
  const blocks = [
    [`${bold(`${counted(totals.elements, "weight")}`)} in ${counted(totals.tensors, "tensor")}`],
    wrap(diffHeadline(result).join(" "), width),
    [...withinNote(result), ...hiddenNote(result), ...mixedNote(result)]
      .flatMap((note) => wrap(note, width))
      .map(dim),
    [
      ...fitted(moduleTable(kinds, totals), terminal.columns, bold),
      ...otherNote(result)
        .flatMap((note) => wrap(note, width))
        .map(dim),
    ],
    ...heatmaps.flatMap((heatmap) => heatmapTables(heatmap, terminal)).map(boldFirst),
    ...(heatmaps.length > 0 ? [wrap(shadeLegend(terminal), width).map(dim)] : []),
    totals.changed > 0 ? fitted(distanceTable(totals), terminal.columns, bold) : [],
    ...(geometry ? geometryBlocks(geometry, result.input.after.path, terminal) : []),
    bytesLines(result).flatMap((line) => wrap(line, width)),
    [...codeLines(result), ...byBytesLines(result)].flatMap((line) => wrap(line, width)),
    unchangedLines(result, width),
    fitted(deltaTable(delta), terminal.columns, bold),
    deltaNotes(delta)
      .flatMap((note) => wrap(note, width))
      .map(dim),
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

/** One row a kind of module, and one for all. */
function moduleTable(kinds: DifferenceResult["kinds"], totals: DifferenceTotals): Column[] {
  const rows = [...kinds, { ...totals, kind: "all" }];
  const column = (heading: string, cell: (row: (typeof rows)[number]) => string): Column => ({
    heading,
    align: "right",
    cells: rows.map(cell),
  });
  const columns: Column[] = [
    { heading: "module", align: "left", cells: rows.map(({ kind }) => kind) },
    column("weights", ({ elements }) => count(elements)),
    column("unchanged", ({ apparentSparsity }) => percent(apparentSparsity)),
    column("hidden", ({ hidden, elements, nonfinite }) =>
      hidden === null ? missing : percent(share(hidden, elements - nonfinite)),
    ),
    column("real", ({ realSparsity, realSparsityAtMost }) =>
      realSparsity === null && realSparsityAtMost !== null
        ? `≤ ${percent(realSparsityAtMost)}`
        : percent(realSparsity),
    ),
    column("rel 1e-3", ({ probes }) => percent(probes["path-not-taken"].share)),
    column("abs 1e-5", ({ probes }) => percent(probes["small-subnetworks"].share)),
    column("flips", ({ signFlips }) => count(signFlips)),
  ];
  if (totals.nonfinite > 0) columns.push(column("nonfinite", ({ nonfinite }) => count(nonfinite)));
  return columns;
}

/** The least shares of unchanged weights that the shades of the heat map stand for. */
const shadeSteps = [0, 0.5, 0.8, 0.95, 0.99];

/** Rows of a heat map that are shown; deeper stacks are thinned evenly, first and last layer kept. */
const mostRows = 24;

/** As many tables, one below the other, as its kinds need. */
function heatmapTables({ stack, layers, kinds, apparentSparsity }: Heatmap, terminal: Terminal): string[][] {
  const rows = thinned(layers.length, mostRows);
  const labels = rows.map((row) => String(layers[row]));
  const names: Column = { heading: printable(stack, 30), align: "right", cells: labels };
  const columns = kinds.map(
    (kind, k): Column => ({
      heading: kind,
      align: "right",
      cells: rows.map((row) => shadedCell(apparentSparsity[row][k], terminal)),
    }),
  );
  const tables = besideEachOther(names, columns, 1, terminal.columns).map(layOut);
  tables.at(-1)!.push(...thinnedNote(layers.length, rows.length));
  return tables;
}

function shadedCell(unchanged: number | null, terminal: Terminal): string {
  if (unchanged === null) return missing;
  const step = shadeSteps.findLastIndex((least) => unchanged >= least);
  return `${shade(step / (shadeSteps.length - 1), terminal)}${String(Math.floor(100 * unchanged)).padStart(3)}`;
}

function shadeLegend(terminal: Terminal): string {
  const steps = shadeSteps.map(
    (least, i) =>
      `${shade(i / (shadeSteps.length - 1), terminal) === " " ? "blank" : shade(i / (shadeSteps.length - 1), terminal)} from ${100 * least}`,
  );
  return `% unchanged, rounded down: ${steps.join(", ")}`;
}

function thinned(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)));
}

function thinnedNote(all: number, shown: number): string[] {
  return shown < all ? [`(${shown} of ${all} layers; --json has all)`] : [];
}

/** How far changed weights went, in gaps between numbers of the compared format. */
function distanceTable({ ulps, changed }: DifferenceTotals): Column[] {
  const groups = [1, 2, 3, 4, 8, 16, 128, Number.POSITIVE_INFINITY];
  const headings = ["1", "2", "3", "4-7", "8-15", "16-127", "128+"];
  const cells = headings.map((_, g) => {
    const inGroup = ulps.filter(
      (_, bin) => leastDistance(bin) >= groups[g] && leastDistance(bin) < groups[g + 1],
    );
    return percent(
      share(
        inGroup.reduce((sum, n) => sum + n, 0),
        changed,
      ),
    );
  });
  return [
    { heading: "distance in ulps", align: "left", cells: ["of the changed"] },
    ...headings.map((heading, i): Column => ({ heading, align: "right", cells: [cells[i]] })),
  ];
}

/** Where bytes differ that are not told by numbers, or, viewed in a format that shares scales, by codes. */
export function bytesLines({ totals }: DifferenceResult): string[] {
  const { bytesChanged, changed, nonfinite, shared } = totals;
  if (bytesChanged === null || bytesChanged === changed) return [];
  const why = nonfinite > 0 ? "+0 and -0, NaN and Inf" : "+0 and -0";
  const by = shared === undefined ? "number" : "code";
  return [`By bytes ${counted(bytesChanged, "weight")} changed, by ${by} ${count(changed)} (${why}).`];
}

/** Of tensors that are wholly unchanged as they are compared, those that moved all the same: empty where that is none, or unknown. */
function differentSentence(unchanged: DifferenceResult["tensors"]): string {
  const moved = unchanged.filter(({ hidden }) => (hidden ?? 0) > 0).length;
  if (moved === 0) return "";
  const which =
    moved < unchanged.length ? `${count(moved)} of them` : unchanged.length === 1 ? "It" : "All of them";
  return ` ${which} ${moved === 1 ? "differs" : "differ"} at full precision.`;
}

function unchangedLines({ totals, tensors }: DifferenceResult, width: number): string[] {
  if (totals.elements === 0) return [];
  if (totals.tensorsUnchanged === 0) return ["No tensor is wholly unchanged."];
  const unchanged = tensors.filter(({ whollyUnchanged }) => whollyUnchanged);
  const names = unchanged.map(({ name }) => printable(name, 120));
  const more = names.length > 5 ? ` and ${count(names.length - 5)} more` : "";
  const are = names.length === 1 ? "is" : "are";
  return wrap(
    `${count(names.length)} of ${counted(totals.tensors, "tensor")} ${are} wholly unchanged: ${names.slice(0, 5).join(", ")}${more}.` +
      differentSentence(unchanged),
    width,
  );
}

/** What a synchronisation would send. */
export function deltaTable(delta: Delta): Column[] {
  const rows = deltaRows(delta);
  const column = (heading: string, cells: readonly string[]): Column => ({ heading, align: "right", cells });
  return [
    { heading: "to send", align: "left", cells: rows.map(([what]) => what) },
    column(
      "bytes",
      rows.map(([, n]) => (n === null ? missing : bytes(n))),
    ),
    column(
      "of full size",
      rows.map(([, n]) => (n === null ? missing : percent(share(n, delta.fullBytes)))),
    ),
  ];
}

/** What could be sent, and in how many bytes; null where that is not known. */
export function deltaRows({
  compressed: { gzip, zstd },
  ...delta
}: Delta): (readonly [string, number | null])[] {
  const packed = (by: string, costs: typeof gzip) =>
    [
      [`everything, ${by}*`, costs?.fullBytes ?? null],
      [`index gaps and values, ${by}*`, costs?.gapValueBytes ?? null],
      [`bit mask and values, ${by}*`, costs?.maskValueBytes ?? null],
    ] as const;
  return [
    ...(delta.file ? [["the delta, as a file", delta.file.bytes] as const] : []),
    ["everything", delta.fullBytes],
    ["index and value of what changed", delta.indexValueBytes],
    ["bit mask, and values of what changed", delta.maskValueBytes],
    ...(delta.sample.chunks > 0 ? packed("gzip", gzip) : []),
    ...(zstd ? packed("zstd", zstd) : []),
  ];
}

export function deltaNotes({ file, sample, compressed: { zstdUnknown } }: Delta): string[] {
  const none = sample.chunks === 0;
  const size = `${counted(sample.elements, "weight")} in ${count(sample.chunks)} ${sample.chunks === 1 ? "chunk" : "chunks"}`;
  return [
    ...(file ? [deltaFileNote(file)] : []),
    none
      ? "Compressed sizes were not sampled."
      : `* Estimated from a sample of ${size}.${zstdUnknown === null ? "" : ` No figures of zstd: ${printable(zstdUnknown)}.`}`,
  ];
}

/** What a delta makes, and of what. */
function deltaFileNote({
  bytes: size,
  resultBytes,
  same,
  changed,
  whole,
  changes,
  files,
}: DeltaFile): string {
  const [first] = files;
  const made = files.length === 1 ? `SHA-256 ${first.sha256}` : counted(files.length, "file");
  return (
    `The delta, ${bytes(size)}, makes AFTER byte for byte (${bytes(resultBytes)}; ${made}): ${counted(changes, "change")} in ` +
    `${counted(changed, "tensor")}, ${count(whole)} whole, ${count(same)} as in BEFORE.`
  );
}
