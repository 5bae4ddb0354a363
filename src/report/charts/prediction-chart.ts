import type { PredictionResult } from "../../lens/study/prediction.js";
import { percent, share } from "../numbers.js";
import { ruleLabel } from "../prediction.js";
import { type Figure, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout } from "./rows.js";
import { line, rect, text } from "./svg.js";

/** Recall and precision of every rule, and how many weights it names. */
export function predictionChart({
  rules,
  weightSteps,
  changed,
}: Pick<PredictionResult, "rules" | "weightSteps" | "changed">): Figure {
  const labels = rules.map(ruleLabel);
  const columns = [
    { name: "recall", about: "of those that changed, named", shares: rules.map(({ recall }) => recall) },
    { name: "precision", about: "of those named, changed", shares: rules.map(({ precision }) => precision) },
    {
      name: "named",
      about: `of all; ${percent(share(changed, weightSteps))} change`,
      shares: rules.map(({ predicted }) => share(predicted, weightSteps)),
    },
  ];
  return {
    name: "rules",
    title: `The ulp rule on Adam's moments finds ${percent(rules[0].recall)} of the weights that change`,
    caption:
      "Which stored weights the next step will change, by each rule: from Adam's moments before the step, or from the update " +
      "itself.",
    size: { width: wide, height: 84 + rules.length * 62 },
    draw: (size, inks) => draw(labels, columns, size, inks),
    numbers: {
      headings: ["rule", ...columns.map(({ name }) => name)],
      rows: labels.map((label, i) => [label, ...columns.map(({ shares }) => percent(shares[i]))]),
    },
  };
}

interface Column {
  readonly name: string;
  readonly about: string;
  readonly shares: readonly (number | null)[];
}

function draw(
  labels: readonly string[],
  columns: readonly Column[],
  { width, height }: Size,
  inks: Palette,
): string {
  const top = 84;
  const rows = rowLayout(labels, { width, height: height - top }, { tallest: 104 });
  const { left, step, font } = rows;
  const gap = 48;
  const span = (width - left - gap * (columns.length - 1)) / columns.length;
  const bar = Math.min(40, step * 0.52);
  const drawn = labels.map((label, i) => rows.label(label, top + i * step + step / 2 + font * 0.36, inks));
  for (const [c, { name, about, shares }] of columns.entries()) {
    const from = left + c * (span + gap);
    // Few are named by any rule: their bars would all be dots.
    const most = name === "named" ? Math.max(...shares.map((portion) => portion ?? 0)) || 1 : 1;
    const room = span - 5 * font;
    drawn.push(
      text(from, 24, name, { size: 25, fill: inks.ink, bold: true }),
      text(from, 54, about, { size: 19, fill: inks.muted }),
      line(from, top, from, top + labels.length * step, { colour: inks.line }),
    );
    for (const [i, portion] of shares.entries()) {
      const middle = top + i * step + step / 2;
      const long = ((portion ?? 0) / most) * room;
      const fill = name === "named" ? inks.muted : inks.accent;
      if (long > 0) drawn.push(rect(from, middle - bar / 2, Math.max(2, long), bar, fill, 3));
      drawn.push(
        text(from + long + 12, middle + font * 0.36, percent(portion), { size: font, fill: inks.ink }),
      );
    }
  }
  return drawn.join("\n");
}
