import type { Delta } from "../../lens/difference/difference-result.js";
import { deltaRows, deltaTable } from "../delta.js";
import { bytes, percent, share } from "../numbers.js";
import { type Figure, half, type Size } from "./figure.js";
import type { Palette } from "./palette.js";
import { rect, text } from "./svg.js";

/** The bytes a synchronisation would send in each encoding, relative to sending everything. */
export function deltaChart(delta: Delta): Figure {
  const rows = deltaRows(delta).flatMap(([what, n]) => (n === null ? [] : [{ what, bytes: n }]));
  const least = Math.min(
    ...rows.filter(({ what }) => !what.startsWith("everything")).map((row) => row.bytes),
  );
  const saved = share(least, delta.fullBytes);
  return {
    name: "delta",
    title:
      saved === null
        ? "There is nothing to send"
        : `Sending what changed takes ${percent(saved)} of the full ${bytes(delta.fullBytes)}`,
    caption:
      "Bytes of a synchronisation, by what is sent; grey is sending everything. A star: estimated from a sample.",
    size: { width: half, height: 440 },
    draw: (size, inks) => draw(rows, delta.fullBytes, size, inks),
    numbers: deltaTable(delta),
  };
}

function draw(
  rows: readonly { what: string; bytes: number }[],
  full: number,
  { width, height }: Size,
  inks: Palette,
): string {
  const step = Math.min(104, height / rows.length);
  const font = Math.min(24, step * 0.36);
  const most = Math.max(full, ...rows.map((row) => row.bytes)) || 1;
  const drawn = rows.flatMap((row, i) => {
    const top = i * step;
    const said = `${bytes(row.bytes)}, ${percent(share(row.bytes, full))}`;
    return [
      text(0, top + font, row.what, { size: font, fill: inks.ink }),
      text(width, top + font, said, { size: font, fill: inks.ink, anchor: "end", bold: true }),
      rect(0, top + font * 1.4, (full / most) * width, step * 0.26, inks.grid, 3),
      rect(0, top + font * 1.4, Math.max(2, (row.bytes / most) * width), step * 0.26, inks.series[1], 3),
    ];
  });
  return drawn.join("\n");
}
