import type { DifferenceResult } from "../lens/difference/difference-result.js";
import { byBytesLines, codeLines } from "./code-lines.js";
import { diffHeadline, hiddenNote, mixedNote, withinNote } from "./diff-headline.js";
import { deltaNotes, deltaRows } from "./diff-table.js";
import { differenceCells, differenceHeadings } from "./difference-cells.js";
import { geometryMarkdown } from "./geometry-markdown.js";
import { escaped, table } from "./markdown-text.js";
import { bytes, count, counted, missing, percent, share } from "./numbers.js";
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
      ["module", ...differenceHeadings],
      [...kinds, { ...totals, kind: "all" }].map((row) => [row.kind, ...differenceCells(row)]),
    ),
    ...[...otherNote(result), ...codeLines(result), ...byBytesLines(result)].map(escaped),
    ...(layers.length > 0
      ? [
          "## By layer",
          table(
            ["layer", ...differenceHeadings],
            layers.map((layer) => [`${layer.stack}.${layer.layer}`, ...differenceCells(layer)]),
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
      ["tensor", "shape", "compared as", ...differenceHeadings],
      tensors.map((tensor) => [
        tensor.name,
        tensor.shape.join(" x ") || missing,
        tensor.formats.compared,
        ...differenceCells(tensor),
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
