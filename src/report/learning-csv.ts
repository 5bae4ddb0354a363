import type { LearnResult } from "../lens/learning/learning.js";
import { csv } from "./csv.js";
import { geometryCells, geometryHeadings } from "./geometry-csv.js";

/** One row a model. */
export function renderLearnCsv({ runs }: LearnResult): string {
  const passCounts = Object.keys(runs[0].base.passAt);
  // Means over matrices, as the table has them.
  const isMeasured = runs.some(({ geometry }) => geometry);
  const heading = [
    ...["run", "lr", "format", "scheme", "rounding", "opmath", "seed", "steps"],
    ...passCounts.flatMap((k) => [`basePassAt${k}`, `passAt${k}`]),
    ...["klForward", "klReverse", "elements", "none", "lost", "kept", "moved", "nonfinite"],
    ...["unchanged", "retained", "visible"],
    ...runs[0].heldOut.flatMap(({ name }) => [`${name}BasePassAt1`, `${name}PassAt1`]),
    ...(isMeasured ? geometryHeadings : []),
  ];
  const rows = runs.map(({ base, outcome, totals, end, ...learnRun }) =>
    [
      ...[
        learnRun.run,
        learnRun.lr,
        learnRun.format,
        learnRun.scheme,
        learnRun.rounding,
        learnRun.opmath,
        learnRun.seed,
        learnRun.steps.length,
      ],
      ...passCounts.flatMap((k) => [base.passAt[k], outcome.passAt[k]]),
      outcome.klForward ?? "",
      outcome.klReverse ?? "",
      ...[totals.elements, totals.none, totals.lost, totals.kept, totals.moved, totals.nonfinite],
      end.unchanged,
      end.retained ?? "",
      end.visible ?? "",
      ...learnRun.heldOut.flatMap((task) => [task.base.passAt[1], task.outcome.passAt[1]]),
      ...(isMeasured ? geometryCells(learnRun.geometry?.totals.measures) : []),
    ].map(String),
  );
  return csv([heading, ...rows]);
}
