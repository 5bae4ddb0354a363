import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import type { EndRatio } from "../lens/study/sampling.js";
import { kindTable, mergeNotes, unmergeTable } from "./adapter-lens.js";
import { type Column, fitted, layOut, visibleWidth, wrap } from "./columns.js";
import { geometryBlocks } from "./geometry-table.js";
import { headline } from "./headline.js";
import { caseLabels, stepsInWords } from "./labels.js";
import { count, counted, missing, percentIn, sampleOf, share, shareOfWeights } from "./numbers.js";
import { recipeBlocks, verificationNotes } from "./recipe-table.js";
import { hasCollateral, sharedNote, sharedTable, sharesScales, sizedUpdates } from "./shared-scales.js";
import { endRatioText, firstShownNote, firstShownTable, samplingNote, samplingTable } from "./simulation.js";
import { skippedLines } from "./skipped.js";
import { type BarPart, glyph, plainTerminal, stackedBar, styles, type Terminal } from "./terminal.js";

/** A result as text for a terminal, or for a pipe. */
export function renderTable(result: Result, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const { input, skipped } = result;
  const updates = input.elements * input.stepNumbers.length;
  const blocks = [
    wrap(
      `${bold(`${counted(input.elements, "weight")}`)} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}, ` +
        `${counted(updates, "update")}`,
      terminal.columns,
    ),
    lensTable(result, terminal),
    displacementTable(result, terminal),
    wrap(headline(result).join(" "), textWidth(terminal)),
    ...mergeBlocks(result, terminal),
    probeTable(result, terminal),
    ...furtherBlocks(result, terminal),
    ...(result.geometry ? geometryBlocks(result.geometry, input.updates ?? "", terminal) : []),
    ...recipeBlocks(result).map((columns) => fitted(columns, terminal.columns, bold)),
    verificationNotes(result)
      .flatMap((note) => wrap(note, textWidth(terminal)))
      .map(dim),
    skipped.length > 0
      ? skippedLines(skipped)
          .flatMap((line) => wrap(line, terminal.columns))
          .map(dim)
      : [],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** What only merges of adapters have: the first case by kind of module, and what unmerging gives back. */
function mergeBlocks(result: Result, terminal: Terminal): string[][] {
  if (result.merge === undefined) return [];
  const { bold, dim } = styles(terminal);
  return [kindTable(result, 0), unmergeTable(result)].flatMap((table, i) => {
    if (table === null) return [];
    const columns = table.headings.map((heading, c): Column => {
      return { heading, align: c === 0 ? "left" : "right", cells: table.rows.map((row) => row[c]) };
    });
    const notes = i === 0 ? mergeNotes(result).flatMap((note) => wrap(note, textWidth(terminal))) : [];
    return [[...fitted(columns, terminal.columns, bold), ...notes.map(dim)]];
  });
}

/** What only some results have: of simulations, and of weights that share scales. */
function furtherBlocks(result: Result, terminal: Terminal): string[][] {
  const { bold, dim } = styles(terminal);
  const blocks = [
    { table: samplingTable(result), note: samplingNote(result) },
    { table: firstShownTable(result), note: firstShownNote },
    { table: sharedTable(result), note: sharedNote },
  ];
  return blocks.flatMap(({ table, note }) => {
    if (table === null) return [];
    const columns = table.headings.map((heading, i): Column => {
      const cells = table.rows.map((row) => row[i]);
      return { heading, align: i === 0 ? "left" : "right", cells, joined: heading === "formula" };
    });
    return [[...fitted(columns, terminal.columns, bold), ...wrap(note, textWidth(terminal)).map(dim)]];
  });
}

/** What became of the updates, and how the end compares with the start; one row a case. */
function lensTable(result: Result, terminal: Terminal): string[] {
  const { bold } = styles(terminal);
  const { cases } = result;
  const percent = percentIn(sampleOf(result));
  const column = (heading: string, cell: (lensCase: Case) => string): Column => ({
    heading,
    align: "right",
    cells: cases.map(cell),
  });
  const before: Column[] = [
    { heading: "stored as", align: "left", cells: caseLabels(cases) },
    column("moved", ({ totals }) => percent(shareOfSized(totals, totals.moved))),
    ...(hasCollateral(cases)
      ? [column("by scale", ({ totals }) => percent(shareOfSized(totals, collateralSized(totals))))]
      : []),
    ...(hasCarrier(cases)
      ? [
          column("kept", ({ totals, scheme }) =>
            scheme === "in-place" ? missing : percent(shareOfSized(totals, totals.kept)),
          ),
        ]
      : []),
    column("lost", ({ totals }) => percent(shareOfSized(totals, totals.lost))),
  ];
  const after: Column[] = [
    column("unchanged", (lensCase) => percent(shareOfWeights(lensCase, lensCase.end.unchanged))),
    {
      ...column("hidden", (lensCase) => percent(shareOfWeights(lensCase, lensCase.end.hidden))),
      joined: true,
    },
  ];
  if (cases.some(({ totals }) => totals.nonfinite > 0)) {
    after.push(column("nonfinite", ({ totals }) => count(totals.nonfinite)));
  }
  const room = terminal.columns - visibleWidth(layOut([...before, ...after])[0]);
  const barWidth = Math.min(room - 2, 24);
  const bars: Column[] =
    barWidth < 6
      ? []
      : [{ heading: "", align: "left", cells: cases.map((lensCase) => bar(lensCase, barWidth, terminal)) }];
  return [
    ...fitted([...before, ...bars, ...after], terminal.columns, bold),
    "",
    ...legend(cases, terminal, bars.length > 0),
  ];
}

/** Whether anything but the stored weights can take an update. */
function hasCarrier(cases: readonly Case[]): boolean {
  return cases.some(({ scheme, totals }) => scheme !== "in-place" || totals.kept > 0);
}

function bar({ totals }: Case, width: number, terminal: Terminal): string {
  const counts = { ...totals, collateral: collateralSized(totals) };
  const parts = (["moved", "collateral", "kept", "lost"] as const).map((className) => ({
    of: className,
    share: shareOfSized(totals, counts[className]) ?? 0,
  }));
  return stackedBar(parts, width, terminal);
}

/** Share of the updates that were not zero. */
function shareOfSized(totals: Case["totals"], part: number): number | null {
  return share(part, sizedUpdates(totals));
}

/** Those of collateral whose update was not zero. */
function collateralSized({ collateral, zeros, none }: Case["totals"]): number {
  return collateral - (zeros - none);
}

/** What the columns are, and the glyphs of the bars where there are bars. */
function legend(cases: readonly Case[], terminal: Terminal, bars: boolean): string[] {
  const { dim } = styles(terminal);
  const mark = (className: BarPart["of"]) => (bars ? `${glyph(className, terminal)} ` : "");
  const parts = [
    `${mark("moved")}moved, the stored bits changed`,
    ...(hasCollateral(cases) ? [`${mark("collateral")}by scale, a scale alone changed the number`] : []),
    ...(hasCarrier(cases) ? [`${mark("kept")}kept, only the master or compensation buffer changed`] : []),
    `${mark("lost")}lost, nothing changed`,
  ];
  const text =
    `Of the updates that were not zero: ${parts.join("; ")}. At the end, of the weights: unchanged ${whatStays(cases)}, and hidden, ` +
    "which an fp32 run would have changed.";
  return wrap(text, textWidth(terminal)).map(dim);
}

/** Where scales are shared a weight is its number: a scale alone changes that, while the bits of its code stay. */
function whatStays(cases: readonly Case[]): string {
  return cases.some(sharesScales) ? "numbers" : "bits";
}

/** How much of the fp32 run's displacement each case holds and shows; one row a case. */
function displacementTable(result: Result, terminal: Terminal): string[] {
  const { bold, dim } = styles(terminal);
  const { cases } = result;
  const column = (heading: string, name: EndRatio): Column => ({
    heading,
    align: "right",
    cells: cases.map((_, i) => endRatioText(result, i, name)),
  });
  const columns: Column[] = [
    { heading: "stored as", align: "left", cells: caseLabels(cases) },
    column("retained", "retained"),
    column("visible", "visible"),
    column("noise", "noise"),
    { ...column("noise/weight", "noiseToWeight"), joined: true },
  ];
  return [
    ...fitted(columns, terminal.columns, bold),
    "",
    ...wrap(displacementNote, textWidth(terminal)).map(dim),
  ];
}

/** What the columns of {@link displacementTable} are. */
export const displacementNote =
  "Of the displacement of an fp32 run: retained, the share that weight and carrier hold at the end; visible, the share that " +
  "the stored bits show. Noise: what they hold beside it, relative to it and to the weights.";

function textWidth({ columns }: Terminal): number {
  return Math.min(columns, 100);
}

/** What the published probes say, beside the exact test. */
function probeTable(result: Result, terminal: Terminal): string[] {
  const { cases } = result;
  const percent = percentIn(sampleOf(result));
  const column = (heading: string, cell: (lensCase: Case) => string): Column => ({
    heading,
    align: "right",
    cells: cases.map(cell),
  });
  const table: Column[] = [
    { heading: "published probes", align: "left", cells: caseLabels(cases) },
    column("exact", (lensCase) => percent(shareOfWeights(lensCase, lensCase.end.unchanged))),
    column("path-not-taken", ({ probes }) => percent(probes["path-not-taken"].share)),
    column("small-subnetworks", ({ probes }) => percent(probes["small-subnetworks"].share)),
    column("ulp-rule", ({ probes }) => percent(probes["ulp-rule"].share)),
    { ...column("wrong", ({ probes }) => percent(probes["ulp-rule"].disagreement)), joined: true },
  ];
  return fitted(table, terminal.columns, styles(terminal).bold);
}
