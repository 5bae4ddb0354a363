import type { Case, LensCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { shareHalfWidth } from "../lens/study/sampling.js";
import { updatesCounted, weightsCounted } from "./nonfinite.js";
import { carriesPercents, share, shareOfWeights } from "./numbers.js";
import { classHeading } from "./rounding-words.js";
import { collateralSized, hasCollateral, shareOfSized, sizedUpdates } from "./shared-scales.js";
import { type NumberColumn, type TensorData, tensorData } from "./tensor-data.js";

interface Column extends NumberColumn {
  readonly numberOf: (counts: LensCounts) => number | null;
}

/** The tensors of a run, for a page's table. */
export function runTensors({ cases, sampling }: Result): TensorData {
  const shown = columnsOf(cases).map((column) => (sampling === undefined ? column : ofSample(column)));
  return tensorData(
    shown,
    cases[0].tensors.map(({ name, shape }, i) => ({
      name,
      shape,
      cases: cases.map(({ tensors }) => shown.map(({ numberOf }) => numberOf(tensors[i]))),
    })),
  );
}

function columnsOf(cases: readonly Case[]): Column[] {
  const any = (part: "kept" | "nonfinite") => cases.some(({ totals }) => totals[part] > 0);
  const ofWeights =
    (part: "unchanged" | "hidden") =>
    ({ totals, end }: LensCounts) =>
      shareOfWeights({ totals, end }, end[part]);
  const ofUpdates =
    (part: "moved" | "kept" | "lost") =>
    ({ totals }: LensCounts) =>
      shareOfSized(totals, totals[part]);
  const scaled = ({ totals }: LensCounts) => shareOfSized(totals, collateralSized(totals));
  const zero = ({ totals }: LensCounts) => share(totals.zeros, totals.zeros + sizedUpdates(totals));
  return [
    { heading: "weights", as: "count", numberOf: ({ totals }) => totals.elements },
    { heading: "unchanged", as: "percent", numberOf: ofWeights("unchanged") },
    { heading: "hidden", as: "percent", numberOf: ofWeights("hidden") },
    { heading: "moved", as: "percent", numberOf: ofUpdates("moved") },
    ...(hasCollateral(cases) ? [{ heading: "by scale", as: "percent", numberOf: scaled } as const] : []),
    ...(any("kept") ? [{ heading: "kept", as: "percent", numberOf: ofUpdates("kept") } as const] : []),
    { heading: classHeading("lost", cases), as: "percent", numberOf: ofUpdates("lost") },
    { heading: "zero", as: "percent", numberOf: zero },
    { heading: "retained", as: "ratio", numberOf: ({ end }) => end.retained },
    { heading: "visible", as: "ratio", numberOf: ({ end }) => end.visible },
    ...(any("nonfinite")
      ? [
          {
            heading: "nonfinite",
            as: "count",
            numberOf: ({ totals }: LensCounts) => totals.nonfinite,
          } as const,
        ]
      : []),
  ];
}

/** For a sample: only shares whose intervals allow whole percents, and no retained share, which has no interval. */
function ofSample(column: Column): Column {
  if (column.as === "count") return column;
  if (column.as === "ratio") return { ...column, numberOf: () => null };
  const known = (counts: LensCounts) => {
    const x = column.numberOf(counts);
    return x !== null && carriesPercents(shareHalfWidth(x, counts.totals.elements)) ? x : null;
  };
  return { ...column, as: "whole", numberOf: known };
}

/** The whole of the table's shares. */
export function tensorNote(cases: readonly Case[]): string {
  const most = (numberOf: (of: Case) => number) => Math.max(...cases.map(numberOf));
  const weights = weightsCounted(most(({ end }) => end.nonfinite));
  const updates = updatesCounted(most(({ totals }) => totals.nonfinite));
  return `Unchanged and hidden: of the ${weights}, at the end. Zero: of all updates. The others: of the ${updates}.`;
}
