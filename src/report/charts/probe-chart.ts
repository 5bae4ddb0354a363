import type { Case } from "../../lens/run/case.js";
import { caseLabels } from "../labels.js";
import { type Percent, shareOfWeights } from "../numbers.js";
import { type Figure, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout, rowsHeight } from "./rows.js";
import { line, rect, text } from "./svg.js";

/** The published probes: what their authors count as unchanged or not moved, and where it is not so. */
const probes = [
  { name: "path-not-taken", rule: "|w'-w| up to 1e-3 max(|w|,|w'|)" },
  { name: "small-subnetworks", rule: "|w'-w| up to 1e-5" },
  { name: "ulp-rule", rule: "|u| below |w|/256" },
] as const;

/** How often each published probe and the exact test disagree: of the weights at the end, or of the updates. */
export function probeChart(cases: readonly Case[], percent: Percent): Figure {
  const labels = caseLabels(cases);
  const wrong = cases.map((lensCase) => [
    shareOfWeights(lensCase, lensCase.probes["path-not-taken"].unchangedButDiffers),
    shareOfWeights(lensCase, lensCase.probes["small-subnetworks"].unchangedButDiffers),
    lensCase.probes["ulp-rule"].disagreement,
  ]);
  const [first] = wrong;
  return {
    name: "probes",
    title: first.every((value) => value === 0 || value === null)
      ? `${labels[0]}: the published probes agree with the bits`
      : `${labels[0]}: the published probes are wrong on ${first.map(percent).join(", ")}`,
    caption:
      "Where a published probe and the bits disagree: of the weights at the end for the first two, of the updates that are " +
      "not zero for the third.",
    size: { width: wide, height: 84 + rowsHeight(cases.length, 62) },
    draw: (size, inks) => draw(labels, wrong, size, inks, percent),
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
      rows: cases.map((lensCase, i) => [
        labels[i],
        percent(shareOfWeights(lensCase, lensCase.end.unchanged)),
        percent(lensCase.probes["path-not-taken"].share),
        percent(wrong[i][0]),
        percent(lensCase.probes["small-subnetworks"].share),
        percent(wrong[i][1]),
        percent(lensCase.totals.hiddenShare),
        percent(lensCase.probes["ulp-rule"].share),
        percent(wrong[i][2]),
      ]),
    },
  };
}

function draw(
  labels: readonly string[],
  wrong: readonly (readonly (number | null)[])[],
  { width, height }: Size,
  inks: Palette,
  percent: Percent,
): string {
  const top = 84;
  const rows = rowLayout(labels, { width, height: height - top }, { tallest: 104 });
  const { left, step, font } = rows;
  const gap = 48;
  const span = (width - left - gap * (probes.length - 1)) / probes.length;
  const most = Math.max(...wrong.flat().map((value) => value ?? 0)) || 1;
  const bar = Math.min(40, step * 0.52);
  const room = span - 5 * font;
  const drawn = labels.map((label, i) => rows.label(label, top + i * step + step / 2 + font * 0.36, inks));
  for (const [p, { name, rule }] of probes.entries()) {
    const from = left + p * (span + gap);
    drawn.push(
      text(from, 24, name, { size: 25, fill: inks.ink, bold: true }),
      text(from, 54, rule, { size: 19, fill: inks.muted }),
      line(from, top, from, top + labels.length * step, { colour: inks.line }),
    );
    for (const [i, row] of wrong.entries()) {
      const share = row[p];
      const middle = top + i * step + step / 2;
      const long = ((share ?? 0) / most) * room;
      if (long > 0) drawn.push(rect(from, middle - bar / 2, Math.max(2, long), bar, inks.muted, 3));
      drawn.push(
        text(from + long + 12, middle + font * 0.36, percent(share), { size: font, fill: inks.ink }),
      );
    }
  }
  return drawn.join("\n");
}
