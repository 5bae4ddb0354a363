import { type HistogramJson, sizedClasses } from "../../lens/histogram.js";
import type { Case } from "../../lens/run/case.js";
import { count, missing, type Percent, share } from "../numbers.js";
import { type Boundary, boundaryOf, classWordsOf } from "../rounding-words.js";
import { classInk } from "./class-ink.js";
import { type Figure, figureName, type Size, wide } from "./figure.js";
import type { Palette } from "./palette.js";
import { linearScale, percentTick, verticalAxis } from "./scale.js";
import { line, powerOfTwo, rect, text, textWidth } from "./svg.js";

/** The order from the axis upwards: visible updates are at the bottom. */
const stacked = ["moved", "kept", "lost"] as const;

/** The sizes of updates in gaps, coloured by class, with the size marked below which they may not move their weight. */
export function histogramChart(caseResult: Case, label: string, percent: Percent): Figure {
  const bins = binsOf(caseResult.histogram);
  const boundary = boundaryOf(caseResult);
  const words = classWordsOf(caseResult);
  const all = bins.reduce((sum, { total }) => sum + total, 0);
  const below = bins.filter(({ bin }) => bin < boundary.exponent).reduce((sum, { total }) => sum + total, 0);
  return {
    name: figureName("sizes", label),
    title:
      all === 0
        ? `${label}: no update has a size`
        : `${label}: ${percent(share(below, all))} of the nonzero updates are smaller than ${boundary.words}` +
          (caseResult.rounding === "stochastic" ? ", and move their weight by chance" : ""),
    caption:
      "Updates by their size against the gap between two numbers around the weight: log2(|u| / ulp(w)), a bin each doubling.",
    size: { width: wide, height: 540 },
    draw: (size, inks) =>
      draw({ bins, all, below, boundary, words, percent, rounding: caseResult.rounding }, size, inks),
    numbers: {
      headings: ["|u| / ulp(w) from", ...stacked.map((name) => words[name]), "share"],
      rows: bins.map(({ bin, counts, total }) => [
        `2^${bin}`,
        ...stacked.map((className) => count(counts[className])),
        all === 0 ? missing : percent(share(total, all)),
      ]),
    },
  };
}

interface Bin {
  readonly bin: number;
  readonly counts: Readonly<Record<(typeof stacked)[number], number>>;
  readonly total: number;
}

function binsOf({ firstBin, ...counts }: HistogramJson): Bin[] {
  if (firstBin === null) return [];
  return counts.lost.map((_, i) => {
    const sizes = { lost: counts.lost[i], kept: counts.kept[i], moved: counts.moved[i] };
    return { bin: firstBin + i, counts: sizes, total: sizes.lost + sizes.kept + sizes.moved };
  });
}

/** The bins without invisible tails: omits at most a thousandth on each side. */
function visible(bins: readonly Bin[], all: number): readonly Bin[] {
  const within = (from: readonly Bin[]) => {
    let tail = 0;
    const first = from.findIndex(({ total }) => {
      tail += total;
      return tail > all / 1000;
    });
    return Math.max(0, first);
  };
  return bins.slice(within(bins), bins.length - within([...bins].reverse()));
}

interface Sizes {
  readonly bins: readonly Bin[];
  readonly all: number;
  /** Updates below the boundary. */
  readonly below: number;
  readonly boundary: Boundary;
  readonly words: ReturnType<typeof classWordsOf>;
  readonly percent: Percent;
  readonly rounding: Case["rounding"];
}

function draw(sizes: Sizes, size: Size, inks: Palette): string {
  const { bins, all, below, boundary, words, percent, rounding } = sizes;
  const ink = (className: (typeof stacked)[number]) => classInk(inks, className, { rounding });
  if (all === 0) return text(0, 40, "No update other than zero was finite.", { size: 26, fill: inks.muted });
  const shown = visible(bins, all);
  // Include the boundary even if no update is near it.
  const first = Math.min(shown[0].bin, -3);
  const last = Math.max(shown.at(-1)!.bin, 1);
  const [left, top, bottom] = [70, 92, size.height - 78];
  const step = (size.width - left) / (last - first + 1);
  const x = (bin: number) => left + (bin - first) * step;
  const edge = x(boundary.exponent);
  const highest = Math.max(...shown.map(({ total }) => total / all));
  const scale = linearScale(0, highest, bottom, top, 4);
  const drawn = verticalAxis(scale, [left, size.width], percentTick, inks);
  for (const { bin, counts } of shown) {
    let y = bottom;
    for (const className of stacked) {
      const high = bottom - scale.place(counts[className] / all);
      if (high <= 0) continue;
      y -= high;
      drawn.push(
        rect(x(bin) + 1, y, Math.max(1, step - 2), high, ink(className).fill, 0, ink(className).outline),
      );
    }
  }
  return [...drawn, ...axis(first, last, x, bottom, boundary, size, inks), ...gapMark(), ...key()].join("\n");

  /** The boundary, and the shares on either side. */
  function gapMark(): string[] {
    const style = { size: 21, fill: inks.ink };
    const [smaller, larger] = [
      `${percent(share(below, all))} below`,
      `${percent(share(all - below, all))} above`,
    ];
    return [
      line(edge, 34, edge, bottom, { colour: inks.ink, width: 3, dashes: "9 6" }),
      text(Math.max(80, Math.min(size.width - 80, edge)), 22, boundary.words, {
        ...style,
        bold: true,
        anchor: "middle",
      }),
      edge - left > textWidth(smaller, 21) + 20
        ? text(edge - 14, 52, smaller, { ...style, anchor: "end" })
        : "",
      size.width - edge > textWidth(larger, 21) + 20 ? text(edge + 14, 52, larger, style) : "",
    ];
  }

  /** The classes, in the upper corner left free by the bars, or in the other one if the boundary would cross them. */
  function key(): string[] {
    const peak = shown.reduce((most, bin) => (bin.total > most.total ? bin : most)).bin;
    const present = sizedClasses
      .filter((className) => shown.some(({ counts }) => counts[className] > 0))
      .reverse();
    const labels = present.map((className) => {
      const total = bins.reduce((sum, { counts }) => sum + counts[className], 0);
      return `${words[className]} ${percent(share(total, all))}`;
    });
    const widest = Math.max(...labels.map((said) => textWidth(said, 22, true))) * 1.08;
    const corners = [left + 16, size.width - 30 - widest];
    if ((x(peak) - left) / (size.width - left) < 0.5) corners.reverse();
    const isFree = (begin: number) => edge < begin - 10 || edge > begin + widest + 38;
    const begin = corners.find(isFree) ?? corners[0];
    return present.flatMap((className, i) => {
      const y = top + 22 + i * 32;
      return [
        rect(begin, y - 17, 18, 18, ink(className).fill, 3, ink(className).outline),
        text(begin + 28, y, labels[i], {
          size: 22,
          fill: ink(className).text,
          bold: true,
          halo: inks.surface,
        }),
      ];
    });
  }
}

/**
 * The exponents to label, including that of the boundary.
 *
 * @param room the width of a bin, relative to the size of the labels.
 */
export function labelledSizes(
  first: number,
  last: number,
  room: number,
  { exponent }: Pick<Boundary, "exponent">,
): number[] {
  const every = [1, 2, 4, 8, 16, 32].find((stride) => stride * room >= 3) ?? 64;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (bin) => (bin - exponent) % every === 0,
  );
}

/** The axis of sizes in gaps. */
function axis(
  first: number,
  last: number,
  x: (bin: number) => number,
  bottom: number,
  boundary: Boundary,
  { width, height }: Size,
  inks: Palette,
): string[] {
  const room = width / (last - first + 1);
  const ticks: string[] = [];
  for (const exponent of labelledSizes(first, last + 1, room / 20, boundary)) {
    const at = x(exponent);
    const anchor = at > width - 30 ? "end" : "middle";
    ticks.push(line(at, bottom, at, bottom + 8, { colour: inks.line }));
    ticks.push(powerOfTwo(at, bottom + 32, exponent, { size: 20, fill: inks.muted, anchor }));
  }
  const name = "|update| / ulp(weight)";
  return [...ticks, text(width, height - 10, name, { size: 20, fill: inks.muted, anchor: "end" })];
}
