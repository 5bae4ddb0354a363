import { measureNames } from "../lens/geometry-result.js";
import type { LearnResult } from "../lens/learning/learning.js";
import { csv } from "./csv.js";

/** One row a model. */
export function renderLearnCsv({ runs }: LearnResult): string {
  const passCounts = Object.keys(runs[0].base.passAt);
  // Means over matrices, as the table has them.
  const geometryNames = runs.some(({ geometry }) => geometry) ? measureNames : [];
  const heading = [
    ...["run", "lr", "format", "scheme", "rounding", "opmath", "seed", "steps"],
    ...passCounts.flatMap((k) => [`basePassAt${k}`, `passAt${k}`]),
    ...["klForward", "klReverse", "elements", "none", "lost", "kept", "moved", "nonfinite"],
    ...["unchanged", "retained", "visible"],
    ...runs[0].heldOut.flatMap(({ name }) => [`${name}BasePassAt1`, `${name}PassAt1`]),
    ...geometryNames.flatMap((name) => [name, `${name}.expected`, `${name}.ratio`]),
  ];
  const rows = runs.map(({ base, outcome, totals, end, ...of }) =>
    [
      ...[of.run, of.lr, of.format, of.scheme, of.rounding, of.opmath, of.seed, of.steps.length],
      ...passCounts.flatMap((k) => [base.passAt[k], outcome.passAt[k]]),
      outcome.klForward ?? "",
      outcome.klReverse ?? "",
      ...[totals.elements, totals.none, totals.lost, totals.kept, totals.moved, totals.nonfinite],
      end.unchanged,
      end.retained ?? "",
      end.visible ?? "",
      ...of.heldOut.flatMap((task) => [task.base.passAt[1], task.outcome.passAt[1]]),
      ...geometryNames.flatMap((name) => {
        const { measured = null, expected = null, ratio = null } = of.geometry?.totals.measures[name] ?? {};
        return [measured ?? "", expected ?? "", ratio ?? ""];
      }),
    ].map(String),
  );
  return csv([heading, ...rows]);
}
