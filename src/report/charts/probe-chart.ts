import type { Case } from "../../lens/run/case.js";
import { caseLabels } from "../labels.js";
import { type Percent, shareOfWeights } from "../numbers.js";
import { aboveBars, drawBars } from "./bar-columns.js";
import { type Figure, wide } from "./figure.js";
import { rowsHeight } from "./rows.js";

/** The published probes: what their authors count as unchanged or not moved, and when that is wrong. */
const probes = [
  { name: "path-not-taken", rule: "|w'-w| up to 1e-3 max(|w|,|w'|)" },
  { name: "small-subnetworks", rule: "|w'-w| up to 1e-5" },
  { name: "ulp-rule", rule: "|u| below |w|/256" },
] as const;

/** How often each published probe disagrees with the exact test, of the weights at the end or of the updates. */
export function probeChart(cases: readonly Case[], percent: Percent): Figure {
  const labels = caseLabels(cases);
  const wrong = cases.map((caseResult) => [
    shareOfWeights(caseResult, caseResult.probes["path-not-taken"].unchangedButDiffers),
    shareOfWeights(caseResult, caseResult.probes["small-subnetworks"].unchangedButDiffers),
    caseResult.probes["ulp-rule"].disagreement,
  ]);
  const [first] = wrong;
  const most = Math.max(...wrong.flat().map((value) => value ?? 0)) || 1;
  const columns = probes.map(({ name, rule }, p) => ({
    ...{ name, about: rule, most, strong: false },
    shares: wrong.map((row) => row[p]),
  }));
  return {
    name: "probes",
    title: first.every((value) => value === 0 || value === null)
      ? `${labels[0]}: the published probes agree with the bits`
      : `${labels[0]}: the published probes are wrong on ${first.map(percent).join(", ")}`,
    caption:
      "Where a published probe and the bits disagree: of the weights at the end for the first two, of the updates that are " +
      "not zero for the third.",
    size: { width: wide, height: aboveBars + rowsHeight(cases.length, 62) },
    draw: (size, inks) => drawBars(labels, columns, percent, size, inks),
    numbers: {
      headings: [
        "stored as",
        "unchanged: exact",
        "path-not-taken",
        "wrong",
        "small-subnetworks",
        "wrong",
        "did not move: exact",
        "ulp-rule",
        "wrong",
      ],
      rows: cases.map((caseResult, i) => [
        labels[i],
        percent(shareOfWeights(caseResult, caseResult.end.unchanged)),
        percent(caseResult.probes["path-not-taken"].share),
        percent(wrong[i][0]),
        percent(caseResult.probes["small-subnetworks"].share),
        percent(wrong[i][1]),
        percent(caseResult.totals.hiddenShare),
        percent(caseResult.probes["ulp-rule"].share),
        percent(wrong[i][2]),
      ]),
    },
  };
}
