import type { Case } from "../../lens/run/case.js";
import { caseLabel } from "../labels.js";
import { updatesCounted } from "../nonfinite.js";
import { count, type Percent, share } from "../numbers.js";
import { classHeading, classWordsOf } from "../rounding-words.js";
import { collateralSized, hasCollateral, shareOfSized, sizedUpdates } from "../shared-scales.js";
import { type CaseInk, classInk } from "./class-ink.js";
import { type Figure, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout, rowsHeight, visibleSpans } from "./rows.js";
import { rect, text, textWidth } from "./svg.js";

/** The properties of a case that are drawn. */
type Counted = Pick<Case, "format" | "scheme" | "rounding" | "opmath" | "totals">;

/** The classes of nonzero updates, in stacking order. */
const drawnClasses = ["moved", "collateral", "kept", "lost"] as const;

/**
 * The classes of the nonzero updates: one stacked bar per case.
 *
 * @param labels the names of the cases.
 */
export function classChart(
  cases: readonly Counted[],
  percent: Percent,
  labels: readonly string[] = cases.map(caseLabel),
): Figure {
  const named = drawnClasses.filter((className) => className !== "collateral" || hasCollateral(cases));
  const rows = cases.map(({ totals, rounding, scheme }) => {
    const words = classWordsOf({ rounding, scheme });
    return drawnClasses.map((className) => ({
      words: words[className],
      share: shareOfSized(totals, sized(totals)[className]) ?? 0,
      ink: (inks: Palette) => classInk(inks, className, { rounding }),
    }));
  });
  return {
    name: "classes",
    title: title(cases, labels, percent),
    caption: `${classCaption(cases, percent)} One bar for each way to store the weights.`,
    size: { width: wide, height: Math.max(120, rowsHeight(cases.length, 104)) },
    draw: (size, inks) => draw(labels, rows, size, inks, percent),
    numbers: {
      headings: [
        "stored as",
        ...named.map((className) => classHeading(className, cases)),
        "not zero",
        "zero",
        "not finite",
      ],
      rows: cases.map(({ totals }, i) => [
        labels[i],
        ...named.map((className) => {
          const part = sized(totals)[className];
          return `${count(part)} (${percent(shareOfSized(totals, part))})`;
        }),
        ...[sizedUpdates(totals), totals.zeros, totals.nonfinite].map(count),
      ]),
    },
  };
}

/** The whole of its shares, which are those of the tables. */
export function classCaption([{ totals }]: readonly Pick<Counted, "totals">[], percent: Percent): string {
  const zero = share(totals.zeros, totals.zeros + sizedUpdates(totals));
  return zero === 0
    ? `What became of every update${ofFinite(totals)}; none was zero.`
    : `What became of the ${updatesCounted(totals.nonfinite)}; the zero ones, ${percent(zero)} of all, are not drawn.`;
}

/** To add to updates, where others are in no share. */
function ofFinite({ nonfinite }: Pick<Case["totals"], "nonfinite">): string {
  return nonfinite === 0 ? "" : " of finite weights";
}

/** The counts of nonzero updates. */
function sized(totals: Case["totals"]) {
  return { ...totals, collateral: collateralSized(totals) };
}

function title(
  [{ totals, rounding, scheme }]: readonly Counted[],
  [label]: readonly string[],
  percent: Percent,
): string {
  const unseen = shareOfSized(totals, totals.lost + totals.kept);
  const updates = `of the nonzero updates${ofFinite(totals)}`;
  if (unseen === null) return "No update was finite and not zero";
  if (unseen === 0) return `Stored as ${label}, every nonzero update${ofFinite(totals)} moved its weight`;
  if (rounding === "stochastic" && totals.kept === 0) {
    return `Stored as ${label}, ${percent(unseen)} ${updates} left their weight as it was, by chance`;
  }
  const held = classWordsOf({ rounding, scheme }).kept;
  const what = totals.kept === 0 ? "lost" : totals.lost === 0 ? held : `lost or ${held}`;
  return `Stored as ${label}, ${percent(unseen)} ${updates} are ${what}`;
}

type Part = { readonly words: string; readonly share: number; readonly ink: (inks: Palette) => CaseInk };

function draw(
  labels: readonly string[],
  rows: readonly (readonly Part[])[],
  size: Size,
  inks: Palette,
  percent: Percent,
): string {
  const { left, width, step, font, label } = rowLayout(labels, size, { lines: 2 });
  const parts = rows.flatMap((row, r) => {
    const barTop = r * step + step * 0.32;
    const barHeight = step * 0.5;
    const middle = barTop + barHeight / 2 + font * 0.36;
    const drawn: string[] = [label(labels[r], middle, inks)];
    const above: { said: string; x: number; ink: string }[] = [];
    const shown = row.filter(({ share }) => share > 0);
    const spans = visibleSpans(
      shown.map(({ share }) => share),
      width,
    );
    let x = left;
    for (const [i, { words, share, ink: inkIn }] of shown.entries()) {
      const { fill, on, text: ink, outline } = inkIn(inks);
      drawn.push(rect(x, barTop, spans[i] - 2, barHeight, fill, Math.min(3, spans[i] / 4), outline));
      const said = `${words} ${percent(share)}`;
      if (textWidth(said, font, true) * 1.08 + 24 <= spans[i]) {
        drawn.push(text(x + 14, middle, said, { size: font, fill: on, bold: true }));
      } else {
        above.push({ said, x, ink });
      }
      x += spans[i];
    }
    return [...drawn, ...labelsAbove(above, barTop - font * 0.36, font * 0.86, left + width)];
  });
  return parts.join("\n");
}

/** Labels of parts that are too narrow for them: above the bar, moved apart, within its right end. */
function labelsAbove(
  labels: readonly { said: string; x: number; ink: string }[],
  y: number,
  size: number,
  right: number,
): string[] {
  const widths = labels.map(({ said }) => textWidth(said, size, true) * 1.06);
  const starts = labels.map(({ x }) => x);
  for (let i = 1; i < starts.length; i++) {
    starts[i] = Math.max(starts[i], starts[i - 1] + widths[i - 1] + size);
  }
  let limit = right;
  for (let i = starts.length - 1; i >= 0; i--) {
    starts[i] = Math.min(starts[i], limit - widths[i]);
    limit = starts[i] - size;
  }
  return labels.map(({ said, ink }, i) => text(starts[i], y, said, { size, fill: ink, bold: true }));
}
