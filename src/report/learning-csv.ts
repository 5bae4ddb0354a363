import type { LearnResult, LearnRun } from "../lens/learning/learning.js";
import { type CsvColumn, csvOf, fields } from "./csv-text.js";
import { geometryColumns } from "./geometry-csv.js";

/** One row per model. */
export function renderLearnCsv({ runs }: LearnResult): string {
  // Means over matrices, as in the table.
  const isMeasured = runs.some(({ geometry }) => geometry);
  return csvOf(runs, [
    ...fields(["run", "lr", "format", "scheme", "rounding", "opmath", "seed"], (run: LearnRun) => run),
    ["steps", ({ steps }) => steps.length],
    ...Object.keys(runs[0].base.passAt).flatMap((k): CsvColumn<LearnRun>[] => [
      [`basePassAt${k}`, ({ base }) => base.passAt[Number(k)]],
      [`passAt${k}`, ({ outcome }) => outcome.passAt[Number(k)]],
    ]),
    ...fields(["klForward", "klReverse"], ({ outcome }: LearnRun) => outcome),
    ...fields(["elements", "none", "lost", "kept", "moved", "nonfinite"], ({ totals }: LearnRun) => totals),
    ...fields(["unchanged", "retained", "visible"], ({ end }: LearnRun) => end),
    ...runs[0].heldOut.flatMap(({ name }, i): CsvColumn<LearnRun>[] => [
      [`${name}BasePassAt1`, ({ heldOut }) => heldOut[i].base.passAt[1]],
      [`${name}PassAt1`, ({ heldOut }) => heldOut[i].outcome.passAt[1]],
    ]),
    ...(isMeasured ? geometryColumns(({ geometry }: LearnRun) => geometry?.totals.measures) : []),
  ]);
}
