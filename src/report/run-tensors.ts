import type { Case } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { shareHalfWidth } from "../lens/study/sampling.js";
import { type NumberColumn, type TensorData, tensorData } from "./html/tensor-table.js";
import { carriesPercents, share, shareOfWeights } from "./numbers.js";
import { classHeading } from "./rounding-words.js";
import { hasCollateral, sizedUpdates } from "./shared-scales.js";

/** The tensors of a run, for a page's table. */
export function runTensors(result: Result): TensorData {
  return tensorData(columns(result), rows(result));
}

function columns({ cases, sampling }: Result): NumberColumn[] {
  const all: NumberColumn[] = [
    { heading: "weights", as: "count" },
    { heading: "unchanged", as: "percent" },
    { heading: "hidden", as: "percent" },
    { heading: "moved", as: "percent" },
    ...(hasCollateral(cases) ? [{ heading: "by scale", as: "percent" } as const] : []),
    ...(keeps(cases) ? [{ heading: "kept", as: "percent" } as const] : []),
    { heading: classHeading("lost", cases), as: "percent" },
    { heading: "zero", as: "percent" },
    { heading: "retained", as: "ratio" },
    { heading: "visible", as: "ratio" },
    ...(nonfinite(cases) ? [{ heading: "nonfinite", as: "count" } as const] : []),
  ];
  return sampling === undefined
    ? all
    : all.map((column) => (column.as === "percent" ? { ...column, as: "whole" } : column));
}

const keeps = (cases: readonly Case[]) => cases.some(({ totals }) => totals.kept > 0);
const nonfinite = (cases: readonly Case[]) => cases.some(({ totals }) => totals.nonfinite > 0);

/** Of a sample, shares whose intervals carry whole percents; what a tensor retains has no interval there. */
function rows({ cases, sampling }: Result) {
  const [scaled, kept, odd] = [hasCollateral(cases), keeps(cases), nonfinite(cases)];
  return cases[0].tensors.map(({ name, shape }, i) => ({
    name,
    shape,
    cases: cases.map(({ tensors }) => {
      const { totals, end } = tensors[i];
      const updates = sizedUpdates(totals) + totals.zeros;
      const known = (x: number | null) =>
        x === null || sampling === undefined || carriesPercents(shareHalfWidth(x, totals.elements))
          ? x
          : null;
      return [
        totals.elements,
        known(shareOfWeights({ totals, end }, end.unchanged)),
        known(shareOfWeights({ totals, end }, end.hidden)),
        known(share(totals.moved, updates)),
        ...(scaled ? [known(share(totals.collateral, updates))] : []),
        ...(kept ? [known(share(totals.kept, updates))] : []),
        known(share(totals.lost, updates)),
        known(share(totals.zeros, updates)),
        sampling ? null : end.retained,
        sampling ? null : end.visible,
        ...(odd ? [totals.nonfinite] : []),
      ];
    }),
  }));
}
