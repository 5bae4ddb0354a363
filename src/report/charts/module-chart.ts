import type { DifferenceResult } from "../../lens/difference/difference-result.js";
import { hiddenShare } from "../difference-cells.js";
import { count, percent, share } from "../numbers.js";
import { type Figure, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { rowLayout, visibleSpans } from "./rows.js";
import { rect, text, textWidth } from "./svg.js";

/** The unchanged share of a comparison by kind of module, and if known the part of it that differs in the files. */
export function moduleChart({ kinds, totals }: DifferenceResult): Figure {
  const rows = [{ ...totals, kind: "all" }, ...kinds];
  const known = kinds.filter(({ apparentSparsity }) => apparentSparsity !== null);
  const [least, most] = [...known]
    .sort((a, b) => a.apparentSparsity! - b.apparentSparsity!)
    .filter((_, i, sorted) => i === 0 || i === sorted.length - 1);
  return {
    name: "modules",
    title:
      least === undefined
        ? "No weight is finite on both sides"
        : most === undefined || least.apparentSparsity === most.apparentSparsity
          ? `${percent(totals.apparentSparsity)} unchanged`
          : `${percent(totals.apparentSparsity)} unchanged: ${percent(least.apparentSparsity)} (${least.kind}) to ${percent(most.apparentSparsity)} (${most.kind})`,
    caption:
      totals.hidden === null
        ? "Weights that are the same number as before, and those that changed, by kind of module."
        : "Weights that changed in the compared format, those that only look unchanged in it, and those that are the same " +
          "numbers in the files.",
    size: { width: wide, height: rows.length * 58 + 50 },
    draw: (size, inks) => draw(rows, size, inks),
    numbers: {
      headings: ["module", "weights", "unchanged", "hidden", "changed"],
      rows: rows.map((row) => [
        row.kind,
        count(row.elements),
        percent(row.apparentSparsity),
        percent(hiddenShare(row)),
        percent(share(row.changed, row.elements - row.nonfinite)),
      ]),
    },
  };
}

type Row = Pick<DifferenceResult["totals"], "elements" | "nonfinite" | "unchanged" | "changed" | "hidden"> & {
  readonly kind: string;
};

function draw(rows: readonly Row[], size: Size, inks: Palette): string {
  const key = 50;
  const layout = rowLayout(
    rows.map(({ kind }) => kind),
    { ...size, height: size.height - key },
    { tallest: 72 },
  );
  const { left, width, step, font } = layout;
  const known = rows.some(({ hidden }) => hidden !== null);
  const parts = [
    {
      word: "changed",
      fill: inks.classes.moved.fill,
      on: inks.classes.moved.on,
      of: (row: Row) => row.changed,
    },
    {
      word: "hidden: differs in the files",
      fill: inks.classes.lost.fill,
      on: inks.classes.lost.on,
      of: ({ hidden }: Row) => hidden ?? 0,
    },
    {
      word: known ? "the same in the files" : "unchanged",
      fill: inks.heat[6],
      on: inks.onHeat[6],
      of: ({ unchanged, hidden }: Row) => unchanged - (hidden ?? 0),
    },
  ];
  const drawn: string[] = [];
  let x = left;
  for (const { word, fill } of parts) {
    if (word.startsWith("hidden") && !known) continue;
    drawn.push(rect(x, 4, 20, 20, fill, 3), text(x + 30, 22, word, { size: 22, fill: inks.ink }));
    x += textWidth(word, 22) * 1.08 + 70;
  }
  rows.forEach((row, i) => {
    const top = key + i * step + step * 0.12;
    const tall = step * 0.76;
    const middle = top + tall / 2 + font * 0.36;
    drawn.push(layout.label(row.kind, middle, inks));
    const whole = row.elements - row.nonfinite;
    if (whole === 0) {
      drawn.push(text(left, middle, "nothing finite", { size: font, fill: inks.muted }));
      return;
    }
    const shown = parts
      .map((part) => ({ ...part, part: part.of(row) / whole }))
      .filter(({ part }) => part > 0);
    const spans = visibleSpans(
      shown.map(({ part }) => part),
      width,
    );
    let from = left;
    for (const [p, { fill, on, part }] of shown.entries()) {
      const span = spans[p];
      drawn.push(rect(from, top, span - 2, tall, fill, 3));
      const said = percent(part);
      if (textWidth(said, font, true) * 1.08 + 20 < span) {
        drawn.push(text(from + 12, middle, said, { size: font, fill: on, bold: true }));
      }
      from += span;
    }
  });
  return drawn.join("\n");
}
