import type { DifferenceTotals } from "../../lens/difference/difference-result.js";
import { firstWideDistance, leastDistance } from "../../lens/ulp-distance.js";
import { count, percent, share } from "../numbers.js";
import { type Figure, half, type Size } from "./figure.js";
import type { Palette } from "./palette.js";
import { linearScale, percentTick, verticalAxis } from "./scale.js";
import { rect, text, textWidth } from "./svg.js";

/** The distances of changed weights, in gaps between numbers of the compared format. */
export function distanceChart({ ulps, changed }: DifferenceTotals): Figure {
  return {
    name: "distances",
    title:
      changed === 0
        ? "No weight changed"
        : `${percent(share(ulps[0] ?? 0, changed))} of the changed weights went to the next number`,
    caption:
      "Changed weights by how many numbers of the format lie on their way; the last bins are doublings.",
    size: { width: half, height: 440 },
    draw: (size, inks) => draw(ulps, changed, size, inks),
    numbers: {
      headings: ["ulps", "weights", "of the changed"],
      rows: ulps.map((n, bin) => [distance(bin), count(n), percent(share(n, changed))]),
    },
  };
}

/** "3", or "16 to 31" for a bin that is a power of two wide. */
function distance(bin: number): string {
  const least = leastDistance(bin);
  return least < firstWideDistance ? String(least) : `${count(least)} to ${count(2 * least - 1)}`;
}

/** The labels of an axis without room for every number. */
const roundDistances: readonly number[] = [1, 2, 5, 10];

function draw(ulps: readonly number[], changed: number, size: Size, inks: Palette): string {
  if (changed === 0) return text(0, 40, "No weight changed.", { size: 26, fill: inks.muted });
  const [left, top, bottom] = [70, 34, size.height - 74];
  const bins = Math.max(8, ulps.length);
  const step = (size.width - left) / bins;
  const shares = ulps.map((n) => n / changed);
  const scale = linearScale(0, Math.max(...shares), bottom, top, 4);
  const drawn = verticalAxis(scale, [left, size.width], percentTick, inks);
  const every = Math.ceil(58 / step);
  let free = Number.NEGATIVE_INFINITY;
  shares.forEach((binShare, bin) => {
    const x = left + bin * step;
    const y = scale.place(binShare);
    if (binShare > 0) {
      drawn.push(
        rect(x + 2, Math.min(y, bottom - 1), step - 4, Math.max(1, bottom - y), inks.classes.moved.fill, 2),
      );
    }
    const style = { size: 20, fill: inks.muted, anchor: "middle" } as const;
    const least = leastDistance(bin);
    const name = least < firstWideDistance ? String(least) : `${count(least)}+`;
    const beside = textWidth(name, 20) / 2;
    const labelled = every === 1 || least >= firstWideDistance || roundDistances.includes(least);
    if (labelled && x + step / 2 - beside >= free) {
      drawn.push(text(x + step / 2, bottom + 32, name, style));
      free = x + step / 2 + beside + 12;
    }
    if (binShare >= 0.005 && step > 54) {
      drawn.push(text(x + step / 2, y - 10, percent(binShare), { ...style, fill: inks.ink, bold: true }));
    }
  });
  const axis = "ulps from before to after";
  drawn.push(text(size.width, size.height - 10, axis, { size: 20, fill: inks.muted, anchor: "end" }));
  return drawn.join("\n");
}
