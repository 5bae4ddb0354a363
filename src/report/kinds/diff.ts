import type { DifferenceCounts, DifferenceResult } from "../../lens/difference/difference-result.js";
import { printable } from "../../lens/printable.js";
import { leastDistance } from "../../lens/ulp-distance.js";
import {
  type Block,
  beside,
  type Fact,
  figures,
  inDocument,
  inMarkdown,
  note,
  onPage,
  onTerminal,
  type Report,
  section,
  table,
  tableOf,
  text,
} from "../blocks/block.js";
import { deltaChart } from "../charts/delta-chart.js";
import { distanceChart } from "../charts/distance-chart.js";
import type { NumberTable } from "../charts/figure.js";
import { layerCharts } from "../charts/heatmap-chart.js";
import { moduleChart } from "../charts/module-chart.js";
import { diffCommandLine } from "../command.js";
import { deltaNotes, deltaTable } from "../delta.js";
import { diffHeadline, hiddenNote, mixedNote, withinNote } from "../diff-headline.js";
import { byBytesLines, bytesLines, codeLines, otherNote, unchangedLines } from "../diff-notes.js";
import { differenceColumns, hiddenShare } from "../difference-cells.js";
import { heatMaps } from "../heat-map.js";
import { weightsCounted } from "../nonfinite.js";
import { cellAtMost, count, counted, missing, percent, share } from "../numbers.js";
import { diffFacts } from "../settings.js";
import { endOf } from "../shareable.js";
import { verdictOnAll } from "../skipped.js";
import { type NumberColumn, tensorData } from "../tensor-data.js";
import { geometrySection } from "./geometry.js";

/** A comparison of two checkpoints. */
export function diffReport(result: DifferenceResult): Report {
  const { tool, input, totals, skipped, delta } = result;
  const headline = diffHeadline(result);
  const size = `${counted(totals.elements, "weight")} in ${counted(totals.tensors, "tensor")}`;
  const against = `${input.before.path} against ${input.after.path}.`;
  const notes = [...firstNote(result), ...withinNote(result), ...hiddenNote(result), ...mixedNote(result)];
  return {
    tool,
    title: "What changed",
    headline,
    ...verdictOf(result),
    lede: [...firstNote(result), ...withinNote(result), ...mixedNote(result), against],
    tiles: tiles(result),
    blocks: [
      onTerminal(() => [
        text([size], "strong"),
        text([headline.join(" ")]),
        note(...notes),
        table(moduleTable(result), { notes: otherNote(result) }),
        ...heatMaps(result.heatmaps),
        totals.changed > 0 ? table(distanceTable(result)) : null,
      ]),
      inMarkdown(() => [
        text([
          headline.join(" "),
          ...notes,
          `${size}, ${count(totals.tensorsUnchanged)} of them wholly unchanged: ${against} ${tool.name} ${tool.version}.`,
        ]),
      ]),
      onPage(() => {
        const parts = result.tensors.map(({ name, unchanged, elements, nonfinite }) => ({
          ...{ name, part: unchanged },
          whole: elements - nonfinite,
        }));
        return [
          figures(moduleChart(result)),
          section("What is unknown, and why", [{ kind: "facts", rows: unknownFacts(result) }]),
          section("Where: layer by module", [figures(...layerCharts(parts, null))]),
          section("How far, and what it costs to send", [
            beside(distanceChart(totals), deltaChart(delta)),
            text(deltaNotes(delta)),
          ]),
        ];
      }),
      inDocument(() => countTables(result)),
      geometrySection(result.geometry, input.after.path),
      onTerminal(() => [
        text(bytesLines(result)),
        text([...codeLines(result), ...byBytesLines(result)]),
        text(unchangedLines(result)),
        table(deltaTable(delta)),
        note(...deltaNotes(delta)),
      ]),
      inMarkdown(() => [
        section("To send what changed", [table(deltaTable(delta), { notes: deltaNotes(delta) })]),
        section("Tensors", [table(tensorTable(result))]),
      ]),
      onPage(() => [{ kind: "tensors", data: tensorNumbers(result), labels: [""], note: "" }]),
    ],
    skipped,
    settings: () => diffFacts(result),
    again: () => ({ heading: "To compare again", commands: [diffCommandLine(result)] }),
    meaning: [meaning],
    source: `${size}; ${endOf(input.before.path)} against ${endOf(input.after.path)}`,
  };
}

/** Of several tuned models all but the geometry is of the first. */
function firstNote({ geometry, input }: DifferenceResult): string[] {
  const others = geometry?.others ?? [];
  if (others.length === 0) return [];
  return [
    `What is counted here is of ${printable(input.after.path)}; the geometry has all ${others.length + 1} tuned models.`,
  ];
}

const meaning =
  "Unchanged: the same number in the compared format. Hidden: unchanged in it, changed in the numbers of the files. " +
  "Real: every update recorded of it is zero. Real at most: what changed was updated, so no more than this can be real.";

function tiles({ totals }: DifferenceResult): Fact[] {
  const weights = weightsCounted(totals.nonfinite);
  return [
    [`of the ${weights} unchanged`, percent(totals.apparentSparsity)],
    totals.realSparsity === null
      ? [`of the ${weights} can be really unchanged`, cellAtMost(totals.realSparsityAtMost)]
      : [`of the ${weights} were never updated`, percent(totals.realSparsity)],
    ["weights changed their sign", count(totals.signFlips)],
    [`of ${counted(totals.tensors, "tensor")} wholly unchanged`, count(totals.tensorsUnchanged)],
  ];
}

/** A verdict for files that show what the compared format hides. */
function verdictOf({ totals, tensors, skipped }: DifferenceResult): Pick<Report, "verdict"> {
  const { apparentSparsity, realSparsityAtMost, hidden, shared } = totals;
  const formats = new Set(tensors.map(({ formats: { compared } }) => compared));
  if (hidden === null || apparentSparsity === null || shared || formats.size !== 1) return {};
  const [format] = formats;
  const look = `${percent(apparentSparsity)} of the weights look unchanged in ${printable(format)}`;
  // Shares of the finite weights are no verdict on all.
  if (totals.nonfinite > 0) return {};
  return verdictOnAll(skipped, totals.elements, `${look}; ${percent(realSparsityAtMost)} are.`);
}

/** What two files cannot tell, with the reasons. */
function unknownFacts({ unknown }: DifferenceResult): Fact[] {
  const reasons = [
    ["What the format hides", unknown.hidden],
    ["How many weights were never updated", unknown.realSparsity],
  ] as const;
  return reasons.flatMap(([what, reason]) => (reason === null ? [] : [[what, reason] as const]));
}

/** One row per module and one for all, with the columns that fit on a terminal. */
function moduleTable({ kinds, totals }: DifferenceResult): NumberTable {
  return tableOf(
    [...kinds, { ...totals, kind: "all" }],
    [
      ["module", ({ kind }) => kind],
      ["weights", ({ elements }) => count(elements)],
      ["unchanged", ({ apparentSparsity }) => percent(apparentSparsity)],
      ["hidden", (row) => percent(hiddenShare(row))],
      [
        "real",
        ({ realSparsity, realSparsityAtMost }) =>
          realSparsity === null && realSparsityAtMost !== null
            ? cellAtMost(realSparsityAtMost)
            : percent(realSparsity),
      ],
      ["rel 1e-3", ({ probes }) => percent(probes["path-not-taken"].share)],
      ["abs 1e-5", ({ probes }) => percent(probes["small-subnetworks"].share)],
      ["flips", ({ signFlips }) => count(signFlips)],
      ...(totals.nonfinite > 0
        ? [["nonfinite", ({ nonfinite }: DifferenceCounts) => count(nonfinite)] as const]
        : []),
    ],
  );
}

/** The distances of changed weights, in gaps between numbers of the compared format. */
function distanceTable({ totals: { ulps, changed } }: DifferenceResult): NumberTable {
  const groups = [1, 2, 3, 4, 8, 16, 128, Number.POSITIVE_INFINITY];
  const cells = groups.slice(1).map((end, g) => {
    const inGroup = ulps.filter((_, bin) => leastDistance(bin) >= groups[g] && leastDistance(bin) < end);
    return percent(
      share(
        inGroup.reduce((sum, n) => sum + n, 0),
        changed,
      ),
    );
  });
  return {
    headings: ["distance in ulps", "1", "2", "3", "4-7", "8-15", "16-127", "128+"],
    rows: [["of the changed", ...cells]],
  };
}

/** By module, by layer, and layer by module. */
function countTables(result: DifferenceResult): Block[] {
  const { kinds, totals, layers, heatmaps } = result;
  const modules = tableOf(
    [...kinds, { ...totals, kind: "all" }],
    [["module", ({ kind }) => kind], ...differenceColumns],
  );
  return [
    section("By module", [
      table(modules, { notes: [...otherNote(result), ...codeLines(result), ...byBytesLines(result)] }),
    ]),
    section("By layer", [
      table(tableOf(layers, [["layer", ({ stack, layer }) => `${stack}.${layer}`], ...differenceColumns])),
    ]),
    inMarkdown(() =>
      heatmaps.map(({ stack, layers: rows, kinds: modulesOf, apparentSparsity }) =>
        section(`Unchanged, layer by module: ${stack}`, [
          table({
            headings: ["layer", ...modulesOf],
            rows: rows.map((layer, row) => [String(layer), ...apparentSparsity[row].map(percent)]),
          }),
        ]),
      ),
    ),
  ];
}

function tensorTable({ tensors }: DifferenceResult): NumberTable {
  return tableOf(tensors, [
    ["tensor", ({ name }) => name],
    ["shape", ({ shape }) => shape.join(" x ") || missing],
    ["compared as", ({ formats }) => formats.compared],
    ...differenceColumns,
  ]);
}

function tensorNumbers({ tensors }: DifferenceResult) {
  const mixed = new Set(tensors.map(({ formats }) => formats.compared)).size > 1;
  return tensorData(
    columns,
    tensors.map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      ...(mixed && { note: tensor.formats.compared }),
      cases: [numbersOf(tensor)],
    })),
  );
}

const columns: readonly NumberColumn[] = [
  { heading: "weights", as: "count" },
  { heading: "unchanged", as: "percent" },
  { heading: "hidden", as: "percent" },
  { heading: "real at most", as: "atMost" },
  { heading: "path-not-taken", as: "percent" },
  { heading: "small-subn.", as: "percent" },
  { heading: "sign flips", as: "count" },
  { heading: "by one ulp", as: "percent" },
];

function numbersOf(counts: DifferenceCounts): (number | null)[] {
  return [
    counts.elements,
    counts.apparentSparsity,
    hiddenShare(counts),
    counts.realSparsityAtMost,
    counts.probes["path-not-taken"].share,
    counts.probes["small-subnetworks"].share,
    counts.signFlips,
    share(counts.ulps[0] ?? 0, counts.changed),
  ];
}
