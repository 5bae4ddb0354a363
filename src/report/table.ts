import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import type { EndRatio } from "../lens/study/sampling.js";
import { kindTable, mergeNotes, unmergeTable } from "./adapter-lens.js";
import { besideEachOther, type Column, layOut, visibleWidth, wrap } from "./columns.js";
import { headline } from "./headline.js";
import { caseLabels, stepsInWords } from "./labels.js";
import { count, counted, missing, percentIn, sampleOf, share, shareOfWeights } from "./numbers.js";
import { recipeBlocks, verificationNotes } from "./recipe-table.js";
import { hasCollateral, sharedNote, sharedTable, sizedUpdates } from "./shared-scales.js";
import { endRatioText, firstShownNote, firstShownTable, samplingNote, samplingTable } from "./simulation.js";
import { skippedLines } from "./skipped.js";
import { glyph, plainTerminal, stackedBar, styles, type Terminal } from "./terminal.js";

/** A result as text for a terminal, or for a pipe. */
export function renderTable(result: Result, terminal: Terminal = plainTerminal): string {
  const { bold, dim } = styles(terminal);
  const { input, skipped } = result;
  const updates = input.elements * input.stepNumbers.length;
  const blocks = [
    [
      `${bold(`${counted(input.elements, "weight")}`)} in ${counted(input.tensors, "tensor")}, ${stepsInWords(result)}, ` +
        `${counted(updates, "update")}`,
    ],
    lensTable(result, terminal),
    legend(result.cases, terminal),
    displacementTable(result, terminal),
    wrap(headline(result).join(" "), textWidth(terminal)),
    ...mergeBlocks(result, terminal),
    probeTable(result, terminal).map((line, i) => (i === 0 ? bold(line) : line)),
    ...furtherBlocks(result, terminal),
    ...recipeBlocks(result).map(([heading, ...rows]) => [bold(heading), ...rows]),
    verificationNotes(result)
      .flatMap((note) => wrap(note, textWidth(terminal)))
      .map(dim),
    skipped.length > 0 ? skippedLines(skipped).map(dim) : [],
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
    const [heading, ...rows] = layOut(
      table.headings.map((heading, c) => {
        return { heading, align: c === 0 ? "left" : "right", cells: table.rows.map((row) => row[c]) };
      }),
    );
    const notes = i === 0 ? mergeNotes(result).flatMap((note) => wrap(note, textWidth(terminal))) : [];
    return [[bold(heading), ...rows, ...notes.map(dim)]];
  });
}

/** What only some results have: of simulations, and of weights that share scales. */
function furtherBlocks(result: Result, terminal: Terminal): string[][] {
  const { bold, dim } = styles(terminal);
  const blocks = [
    // Of a case a row in the one, and two columns in the other.
    { table: samplingTable(result), together: 3, note: samplingNote(result) },
    { table: firstShownTable(result), together: 2, note: firstShownNote },
    { table: sharedTable(result), together: 1, note: sharedNote },
  ];
  return blocks.flatMap(({ table, together, note }) => {
    if (table === null) return [];
    const [names, ...rest] = table.headings.map((heading, i): Column => {
      return { heading, align: i === 0 ? "left" : "right", cells: table.rows.map((row) => row[i]) };
    });
    const parts = besideEachOther(names, rest, together, terminal.columns);
    const tables = parts.map(layOut).map(([heading, ...rows]) => [bold(heading), ...rows]);
    tables.at(-1)!.push(...wrap(note, textWidth(terminal)).map(dim));
    return tables;
  });
}

/** What became of the updates, and how the end compares with the start; one row a case. */
function lensTable(result: Result, terminal: Terminal): string[] {
  const { bold } = styles(terminal);
  const { cases } = result;
  const percent = percentIn(sampleOf(result));
  const column = (heading: string, cell: (of: Case) => string): Column => ({
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
    column("kept", ({ totals, scheme }) =>
      scheme === "in-place" ? missing : percent(shareOfSized(totals, totals.kept)),
    ),
    column("lost", ({ totals }) => percent(shareOfSized(totals, totals.lost))),
  ];
  const hidden = column("hidden", (of) => percent(shareOfWeights(of, of.end.hidden)));
  const after: Column[] = [
    column("unchanged", (of) => percent(shareOfWeights(of, of.end.unchanged))),
    hidden,
  ];
  if (cases.some(({ totals }) => totals.nonfinite > 0)) {
    after.push(column("nonfinite", ({ totals }) => count(totals.nonfinite)));
  }
  const room = () => terminal.columns - visibleWidth(layOut([...before, ...after])[0]);
  if (room() < 0) after.splice(after.indexOf(hidden), 1);
  const barWidth = Math.min(room() - 2, 24);
  const bars: Column[] =
    barWidth < 6
      ? []
      : [{ heading: "", align: "left", cells: cases.map((of) => bar(of, barWidth, terminal)) }];
  const [heading, ...rows] = layOut([...before, ...bars, ...after]);
  return [bold(heading), ...rows];
}

function bar({ totals }: Case, width: number, terminal: Terminal): string {
  const counts = { ...totals, collateral: collateralSized(totals) };
  const parts = (["moved", "collateral", "kept", "lost"] as const).map((of) => ({
    of,
    share: shareOfSized(totals, counts[of]) ?? 0,
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

function legend(cases: readonly Case[], terminal: Terminal): string[] {
  const { dim } = styles(terminal);
  const text =
    `Of the updates that were not zero: ${glyph("moved", terminal)} moved the stored bits, ` +
    (hasCollateral(cases)
      ? `${glyph("collateral", terminal)} had their number changed by a scale alone, `
      : "") +
    `${glyph("kept", terminal)} changed only the master or compensation buffer (kept), ` +
    `${glyph("lost", terminal)} changed nothing (lost). At the end, of the weights: unchanged bits, and hidden, which ` +
    "an fp32 run would have changed.";
  return wrap(text, textWidth(terminal)).map(dim);
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
  const [heading, ...rows] = layOut([
    { heading: "of the fp32 displacement", align: "left", cells: caseLabels(cases) },
    column("retained", "retained"),
    column("visible", "visible"),
    column("noise", "noise"),
    column("noise/weight", "noiseToWeight"),
  ]);
  return [bold(heading), ...rows, ...wrap(displacementNote, textWidth(terminal)).map(dim)];
}

/** What the columns of {@link displacementTable} are. */
export const displacementNote =
  "Retained: the share of an fp32 run's displacement that weight and carrier hold at the end; visible: the share that " +
  "the stored bits show. Noise: what they hold beside it, relative to it and to the weights.";

function textWidth({ columns }: Terminal): number {
  return Math.min(columns, 100);
}

/**
 * What the published probes say, beside the exact test: by their names, or where these do not fit by their rules.
 */
function probeTable(result: Result, { columns }: Terminal): string[] {
  const { cases } = result;
  const percent = percentIn(sampleOf(result));
  const column = (heading: string, cell: (of: Case) => string): Column => ({
    heading,
    align: "right",
    cells: cases.map(cell),
  });
  const under = (relative: string, absolute: string, rule: string) =>
    layOut([
      { heading: "published probes", align: "left", cells: caseLabels(cases) },
      column("exact", (of) => percent(shareOfWeights(of, of.end.unchanged))),
      column(relative, ({ probes }) => percent(probes["path-not-taken"].share)),
      column(absolute, ({ probes }) => percent(probes["small-subnetworks"].share)),
      column(rule, ({ probes }) => percent(probes["ulp-rule"].share)),
      column("wrong", ({ probes }) => percent(probes["ulp-rule"].disagreement)),
    ]);
  const byName = under("path-not-taken", "small-subnetworks", "ulp-rule");
  return byName[0].length <= columns ? byName : under("rel 1e-3", "abs 1e-5", "|u|<|w|/256");
}
