import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { type Block, lines, tableOf } from "./blocks/block.js";
import { tableLines, tableWidth, textWidth } from "./blocks/terminal.js";
import { wrap } from "./columns.js";
import { caseLabels } from "./labels.js";
import { updatesCounted, weightsCounted } from "./nonfinite.js";
import { count, missing, percentIn, sampleOf, shareOfWeights } from "./numbers.js";
import { collateralSized, hasCollateral, shareOfSized, sharesScales } from "./shared-scales.js";
import { type BarPart, glyph, stackedBar, styles, type Terminal } from "./terminal.js";

/** The classes of updates, and the end compared with the start; one row per case, with the meaning of the columns. */
export function lensTable(result: Result): Block {
  return lines((terminal) => {
    const { cases } = result;
    const percent = percentIn(sampleOf(result));
    const labels = caseLabels(cases);
    const sized =
      (partOf: (totals: Case["totals"]) => number) =>
      ({ totals }: Case) =>
        percent(shareOfSized(totals, partOf(totals)));
    const before: Columns = [
      ["stored as", (_, i) => labels[i]],
      ["moved", sized(({ moved }) => moved)],
      ...(hasCollateral(cases) ? [["by scale", sized(collateralSized)] as const] : []),
      ...(hasCarrier(cases)
        ? [
            [
              "kept",
              (caseResult: Case) =>
                caseResult.scheme === "in-place" ? missing : sized(({ kept }) => kept)(caseResult),
            ] as const,
          ]
        : []),
      ["lost", sized(({ lost }) => lost)],
    ];
    const after: Columns = [
      ["unchanged", (caseResult) => percent(shareOfWeights(caseResult, caseResult.end.unchanged))],
      ["hidden", (caseResult) => percent(shareOfWeights(caseResult, caseResult.end.hidden))],
      ...(cases.some(({ totals }) => totals.nonfinite > 0)
        ? [["nonfinite", ({ totals }: Case) => count(totals.nonfinite)] as const]
        : []),
    ];
    const width = Math.min(terminal.columns - tableWidth(tableOf(cases, [...before, ...after])) - 2, 24);
    const bars: Columns = width < 6 ? [] : [["", (caseResult) => bar(caseResult, width, terminal)]];
    const shown = tableOf(cases, [...before, ...bars, ...after]);
    const align = ["l", ...before.slice(1).map(() => "r"), ...bars.map(() => "l")].join("");
    return [
      ...tableLines({ ...shown, align, joined: ["hidden"] }, terminal),
      "",
      ...legend(cases, terminal, bars.length > 0),
    ];
  });
}

type Columns = Parameters<typeof tableOf<Case>>[1];

/** Whether any case has a carrier. */
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

/** The meaning of the columns, and of the bars' glyphs if there are bars. */
function legend(cases: readonly Case[], terminal: Terminal, bars: boolean): string[] {
  const { dim } = styles(terminal);
  const mark = (className: BarPart["of"]) => (bars ? `${glyph(className, terminal)} ` : "");
  const parts = [
    `${mark("moved")}moved, the stored bits changed`,
    ...(hasCollateral(cases) ? [`${mark("collateral")}by scale, a scale alone changed the number`] : []),
    ...(hasCarrier(cases) ? [`${mark("kept")}kept, only the master or compensation buffer changed`] : []),
    `${mark("lost")}lost, nothing changed`,
  ];
  const most = (numberOf: (of: Case) => number) => Math.max(...cases.map(numberOf));
  const text =
    `Of the ${updatesCounted(most(({ totals }) => totals.nonfinite))}: ${parts.join("; ")}. At the end, of the ` +
    `${weightsCounted(most(({ end }) => end.nonfinite))}: unchanged ${whatStays(cases)}, and hidden, which an fp32 run would have changed.`;
  return wrap(text, textWidth(terminal)).map(dim);
}

/** With shared scales the weight is its number, which a scale can change while the bits of its code stay. */
function whatStays(cases: readonly Case[]): string {
  return cases.some(sharesScales) ? "numbers" : "bits";
}
