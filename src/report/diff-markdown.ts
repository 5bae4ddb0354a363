import type { DifferenceCounts, DifferenceResult } from "../lens/difference/difference-result.js";
import { byBytesLines, codeLines } from "./code-lines.js";
import { diffHeadline, hiddenNote, mixedNote, withinNote } from "./diff-headline.js";
import { deltaNotes, deltaRows } from "./diff-table.js";
import { geometryMarkdown } from "./geometry-markdown.js";
import { escaped, table } from "./markdown-text.js";
import { bytes, count, counted, missing, percent, share, short } from "./numbers.js";
import { otherNote } from "./other-note.js";

/** A comparison as Markdown (GitHub's tables): by module, by layer, layer by module, the delta, and tensors. */
export function renderDiffMarkdown(result: DifferenceResult): string {
  const { input, tool, totals, kinds, layers, heatmaps, tensors, delta, skipped } = result;
  const blocks = [
    "# What changed",
    escaped(diffHeadline(result).join(" ")),
    ...[...withinNote(result), ...hiddenNote(result), ...mixedNote(result)].map(escaped),
    `${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}, ${count(totals.tensorsUnchanged)} of them ` +
      escaped(
        `wholly unchanged: ${input.before.path} against ${input.after.path}. ${tool.name} ${tool.version}.`,
      ),
    "## By module",
    table(
      ["module", ...headings],
      [...kinds, { ...totals, kind: "all" }].map((row) => [row.kind, ...cells(row)]),
    ),
    ...[...otherNote(result), ...codeLines(result), ...byBytesLines(result)].map(escaped),
    ...(layers.length > 0
      ? [
          "## By layer",
          table(
            ["layer", ...headings],
            layers.map((layer) => [`${layer.stack}.${layer.layer}`, ...cells(layer)]),
          ),
        ]
      : []),
    ...heatmaps.flatMap((heatmap) => [
      `## Unchanged, layer by module: ${escaped(heatmap.stack)}`,
      table(
        ["layer", ...heatmap.kinds],
        heatmap.layers.map((layer, row) => [String(layer), ...heatmap.apparentSparsity[row].map(percent)]),
      ),
    ]),
    ...(result.geometry ? geometryMarkdown(result.geometry, input.after.path) : []),
    "## To send what changed",
    table(
      ["what", "bytes", "of full size"],
      deltaRows(delta).map(([what, n]) => [
        what,
        n === null ? missing : bytes(n),
        n === null ? missing : percent(share(n, delta.fullBytes)),
      ]),
    ),
    ...deltaNotes(delta).map(escaped),
    "## Tensors",
    table(
      ["tensor", "shape", "compared as", ...headings],
      tensors.map((tensor) => [
        tensor.name,
        tensor.shape.join(" x ") || missing,
        tensor.formats.compared,
        ...cells(tensor),
      ]),
    ),
    ...(skipped.length > 0
      ? [
          "## Not counted",
          table(
            ["tensor", "reason"],
            skipped.map(({ name, reason }) => [name, reason]),
          ),
        ]
      : []),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const headings = [
  "weights",
  "unchanged",
  "hidden",
  "real",
  "real at most",
  "path-not-taken",
  "small-subnetworks",
  "sign flips",
  "nonfinite",
  "norm of the change",
];

function cells(counts: DifferenceCounts): string[] {
  return [
    count(counts.elements),
    percent(counts.apparentSparsity),
    counts.hidden === null ? missing : percent(share(counts.hidden, counts.elements - counts.nonfinite)),
    percent(counts.realSparsity),
    percent(counts.realSparsityAtMost),
    percent(counts.probes["path-not-taken"].share),
    percent(counts.probes["small-subnetworks"].share),
    count(counts.signFlips),
    count(counts.nonfinite),
    short(counts.displacementNorm),
  ];
}
