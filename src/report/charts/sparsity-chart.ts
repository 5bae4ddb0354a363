import type { Case } from "../../lens/run/case.js";
import { caseLabels } from "../labels.js";
import { weightsCounted } from "../nonfinite.js";
import { type Percent, shareOfWeights } from "../numbers.js";
import { type Figure, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout, rowsHeight } from "./rows.js";
import { circle, line, text, textWidth } from "./svg.js";

/** Apparent and real sparsity of updates and of weights at the end: two dots per case, with the lens between them. */
export function sparsityChart(cases: readonly Case[], percent: Percent): Figure {
  const labels = caseLabels(cases);
  const ofAll = weightsCounted(Math.max(...cases.map(({ end }) => end.nonfinite)));
  const panels: readonly Panel[] = [
    {
      heading: "Of all updates",
      pairs: cases.map(({ totals }) => ({ apparent: totals.apparentSparsity, real: totals.realSparsity })),
    },
    {
      heading: `Of the ${ofAll}, at the end`,
      pairs: cases.map((caseResult) => ({
        apparent: shareOfWeights(caseResult, caseResult.end.unchanged),
        real: shareOfWeights(caseResult, caseResult.end.unchanged - caseResult.end.hidden),
      })),
    },
  ];
  const [updates, weights] = panels;
  const first = weights.pairs[0];
  return {
    name: "sparsity",
    title: `${percent(first.apparent)} of the ${weightsCounted(cases[0].end.nonfinite)} look unchanged, ${percent(first.real)} really are`,
    caption:
      "Each line runs from the share that is really unchanged (a zero update, or fp32 leaves the weight too) to the share that " +
      "looks unchanged (the same stored bits). The longer the line, the more storage hides.",
    size: { width: wide, height: top + rowsHeight(cases.length, 84) },
    draw: (size, inks) => draw(labels, panels, size, inks, percent),
    numbers: {
      headings: ["stored as", "updates: apparent", "updates: real", "weights: apparent", "weights: real"],
      rows: labels.map((label, i) => [
        label,
        percent(updates.pairs[i].apparent),
        percent(updates.pairs[i].real),
        percent(weights.pairs[i].apparent),
        percent(weights.pairs[i].real),
      ]),
    },
  };
}

/** The space for legend, headings and scale. */
const top = 114;

interface Pair {
  readonly apparent: number | null;
  readonly real: number | null;
}

interface Panel {
  readonly heading: string;
  readonly pairs: readonly Pair[];
}

function draw(
  labels: readonly string[],
  panels: readonly Panel[],
  { width, height }: Size,
  inks: Palette,
  percent: Percent,
): string {
  const rows = rowLayout(labels, { width, height: height - top }, { tallest: 130, lines: 2 });
  const { left, step, font } = rows;
  const gap = 110;
  const span = (width - left - gap) / panels.length;
  const middle = (row: number) => top + row * step + step / 2;
  const bottom = top + labels.length * step;
  const drawn = [
    ...legend(left + 14, inks),
    ...labels.map((label, i) => rows.label(label, middle(i) + font * 0.36, inks)),
  ];
  panels.forEach(({ heading, pairs }, p) => {
    const from = left + 14 + p * (span + gap);
    const x = (share: number) => from + share * (span - 28);
    drawn.push(text(from, 70, heading, { size: 26, fill: inks.ink, bold: true }));
    for (const share of [0, 0.5, 1]) {
      drawn.push(line(x(share), top - 4, x(share), bottom, { colour: inks.grid, width: 2 }));
      const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
      drawn.push(text(x(share), top - 18, `${100 * share}%`, { size: 19, fill: inks.muted, anchor }));
    }
    pairs.forEach((pair, i) => {
      drawn.push(pairOf(pair, middle(i), x, Math.min(font, 25), inks, percent));
    });
  });
  return drawn.join("\n");
}

/** The marks and their meaning. */
function legend(left: number, inks: Palette): string[] {
  const size = 22;
  let x = left;
  return (["really unchanged", "looks unchanged"] as const).flatMap((words, i) => {
    const mark =
      i === 0
        ? circle(x + 10, 16, 9, inks.classes.none.fill)
        : circle(x + 10, 16, 9, inks.surface, { colour: inks.ink, width: 4 });
    const said = text(x + 30, 24, words, { size, fill: inks.muted });
    x += 30 + textWidth(words, size) * 1.06 + 40;
    return [mark, said];
  });
}

function pairOf(
  { apparent, real }: Pair,
  y: number,
  x: (share: number) => number,
  font: number,
  inks: Palette,
  percent: Percent,
): string {
  if (apparent === null || real === null)
    return text(x(0), y, "nothing finite", { size: font, fill: inks.muted });
  const radius = Math.max(6, font * 0.42);
  const style = { size: font, bold: true };
  const marks = [
    line(x(real), y, x(apparent), y, { colour: inks.line, width: radius * 0.7 }),
    circle(x(real), y, radius, inks.classes.none.fill, { colour: inks.surface, width: 2 }),
    circle(x(apparent), y, radius, inks.surface, { colour: inks.ink, width: 4 }),
  ];
  const [a, r] = [percent(apparent), percent(real)];
  // Place both numbers next to their dots if there is room between or outside, else both at the right.
  const between = x(apparent) - x(real) - 2 * radius - 20;
  const outside = x(0) + textWidth(r, font, true) + 16;
  if (between > textWidth(a, font, true) + textWidth(r, font, true) + 40) {
    marks.push(
      text(x(real) - radius, y - radius - 7, r, { ...style, fill: inks.classes.none.text }),
      text(x(apparent) + radius, y - radius - 7, a, { ...style, fill: inks.ink, anchor: "end" }),
    );
  } else if (x(apparent) + radius + 20 + textWidth(`${r}, ${a}`, font, true) < x(1)) {
    const said = r === a ? a : `${r}, ${a}`;
    marks.push(text(x(apparent) + radius + 12, y + font * 0.36, said, { ...style, fill: inks.ink }));
  } else if (x(real) > outside) {
    const said = r === a ? a : `${r}, ${a}`;
    marks.push(
      text(x(real) - radius - 12, y + font * 0.36, said, { ...style, fill: inks.ink, anchor: "end" }),
    );
  }
  return marks.join("");
}
