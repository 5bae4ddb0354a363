import type { Size } from "./figure.js";
import type { Palette } from "./palette.js";
import { labelled, linearScale, logScale, type Scale, spread, verticalAxis } from "./scale.js";
import { area, circle, fitted, line, polyline, text, textWidth } from "./svg.js";

/** A line over the steps. */
export interface Series {
  readonly label: string;
  /** One value per step, null if unknown. */
  readonly values: readonly (number | null)[];
  /** The index of its colour among those of cases; null for a reference: a dashed, muted line. */
  readonly ink: number | null;
}

export interface LineChart {
  /** The step numbers, one for each value, or labels instead; and the title of the axis. */
  readonly steps: readonly (number | string)[];
  readonly axis?: string;
  /** Their positions, ascending; default evenly spaced. */
  readonly at?: readonly number[];
  readonly series: readonly Series[];
  /** The area between two series, by index, and its label. */
  readonly band?: { readonly from: number; readonly to: number; readonly label: string };
  readonly format: (value: number) => string;
  /** Formats the last value of a line, shown next to it; default as on the axis. */
  readonly last?: (value: number) => string;
  /** The start of a linear axis; default 0 or the smallest value. */
  readonly from?: number;
  /** "log": powers of ten, never below `least`. */
  readonly scale: "linear" | "log";
  /** The range to which values are clipped. */
  readonly within?: readonly [number, number];
}

/** Dash patterns, so that lines can be distinguished without colour. */
const dashes = ["", "14 6", "3 7", "18 6 3 6", "8 8", "26 8"];

/** Draws lines with their names at the right ends, or with a legend if some end at the same place. */
export function drawLines(chart: LineChart, { width, height }: Size, inks: Palette): string {
  const { steps, format, last = format } = chart;
  const series = withoutShared(chart.series);
  const [least, most] = chart.within ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const shown = (value: number) => Math.min(Math.max(value, least), most);
  const values = series.flatMap((curve) => curve.values.filter((value) => value !== null).map(shown));
  if (values.length === 0) return text(0, 40, "Nothing is known.", { size: 26, fill: inks.muted });
  const labelRoom = Math.min(
    width * 0.36,
    Math.max(...series.map((curve) => textWidth(nameOf(curve, last), font, true))) * 1.06 + 24 + sample,
  );
  const [left, top, bottom] = [86, 18, height - 74];
  const right = width - labelRoom;
  const y = verticalScale(chart, values, bottom, top);
  const powers = chart.at === undefined ? farApart(steps) : null;
  const at = chart.at ?? powers?.map(Math.log) ?? steps.map((_, i) => i);
  const [start, stop] = [at[0], at[at.length - 1]];
  const x = (i: number) =>
    left + (steps.length === 1 ? 0.5 : (at[i] - start) / (stop - start)) * (right - left);
  const drawn = [
    ...verticalAxis(y, [left, right], format, inks),
    ...(powers
      ? roundSteps(powers).flatMap((step) =>
          stepTick(step, left + ((Math.log(step) - start) / (stop - start)) * (right - left), bottom, inks),
        )
      : stepAxis(steps, x, bottom, inks)),
    text(right, height - 12, chart.axis ?? (powers ? "step, logarithmic" : "step"), {
      size: 20,
      fill: inks.muted,
      anchor: "end",
    }),
  ];
  const points = series.map((curve) =>
    thinned(
      curve.values.map((value, i) => (value === null ? null : ([x(i), y.place(shown(value))] as const))),
    ),
  );
  if (chart.band) drawn.push(band(chart.band, points, inks));
  // The first case, which the report is about, is stronger. It is drawn below the others, because a dashed line on top
  // of a wider one leaves both visible.
  for (const [i, curve] of series.entries()) {
    const colour = inkOf(curve, inks);
    const stroke = { colour, width: i === 0 ? 6 : 3.5, dashes: dashOf(curve) };
    drawn.push(polyline(points[i], stroke));
    const single = points[i].filter((point) => point !== null);
    if (single.length === 1) drawn.push(circle(single[0][0], single[0][1], 7, colour));
  }
  const ends = points.map((linePoints) => linePoints.findLast((point) => point !== null)?.[1] ?? bottom);
  const alike = new Set(bundlesOf(ends).flat());
  const names = series.map((curve, i) =>
    alike.has(i) && curve.ink !== null ? curve.label : nameOf(curve, last),
  );
  const room = { right, width: labelRoom, top, bottom };
  return [
    ...drawn,
    ...(alike.size > 0 ? legend(series, names, room, inks) : endLabels(series, names, ends, room, inks)),
  ].join("\n");
}

/** Labels without their first word, the format, if all cases share it. */
function withoutShared(series: readonly Series[]): readonly Series[] {
  const cases = series.filter(({ ink }) => ink !== null);
  const [shared] = cases[0]?.label.split(" ") ?? [];
  if (cases.length < 2 || !cases.every(({ label }) => label.startsWith(`${shared} `))) return series;
  return series.map((curve) =>
    curve.ink === null ? curve : { ...curve, label: curve.label.slice(shared.length + 1) },
  );
}

/** The space for names next to the lines. */
interface LabelRoom {
  readonly right: number;
  readonly width: number;
  readonly top: number;
  readonly bottom: number;
}

const font = 21;

function verticalScale(
  { scale, from = 0 }: LineChart,
  values: readonly number[],
  bottom: number,
  top: number,
): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const positive = values.filter((value) => value > 0);
  if (scale === "log" && positive.length > 0 && most / Math.min(...positive) > 30) {
    return logScale(Math.max(Math.min(...positive), most * 1e-6), most, bottom, top);
  }
  return linearScale(Math.min(from, least), most, bottom, top, 4);
}

/** Positions on a logarithmic axis for steps that are denser at the start, like milestones; null for others. */
function farApart(steps: LineChart["steps"]): readonly number[] | null {
  const numbers = steps.filter((step) => typeof step === "number");
  if (numbers.length < Math.max(3, steps.length) || numbers[0] <= 0) return null;
  const gaps = numbers.slice(1).map((step, i) => step - numbers[i]);
  return Math.min(...gaps) > 0 && Math.max(...gaps) > 4 * Math.min(...gaps) ? numbers : null;
}

/** 1, 10, 100, ..., with 2 and 5 times each if these are few, up to the last step. */
function roundSteps(steps: readonly number[]): number[] {
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const powers = Array.from({ length: 16 }, (_, power) => 10 ** power);
  const within = (step: number) => step >= first && step <= last;
  const tens = powers.filter(within);
  return tens.length > 2 ? tens : powers.flatMap((ten) => [ten, 2 * ten, 5 * ten]).filter(within);
}

function stepTick(step: number | string, x: number, bottom: number, inks: Palette): [string, string] {
  return [
    line(x, bottom, x, bottom + 8, { colour: inks.line }),
    text(x, bottom + 32, String(step), { size: 20, fill: inks.muted, anchor: "middle" }),
  ];
}

function stepAxis(
  steps: readonly (number | string)[],
  x: (i: number) => number,
  bottom: number,
  inks: Palette,
): string[] {
  // Unevenly spaced steps may be too close to label each.
  let free = Number.NEGATIVE_INFINITY;
  return labelled(steps.length, 8).flatMap((i) => {
    const half = textWidth(String(steps[i]), 20) / 2;
    const [tick, label] = stepTick(steps[i], x(i), bottom, inks);
    if (x(i) - half < free) return [tick];
    free = x(i) + half + 8;
    return [tick, label];
  });
}

type Points = readonly (readonly [number, number] | null)[];

/** At most a few hundred points, evenly selected, with the last one. */
function thinned(points: Points): Points {
  const stride = Math.ceil(points.length / 400);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
}

function band({ from, to, label }: NonNullable<LineChart["band"]>, points: readonly Points[], inks: Palette) {
  const [above, below] = [from, to].map((index) => points[index].filter((point) => point !== null));
  if (above.length < 2 || below.length < 2) return "";
  const middle = Math.floor(above.length / 2);
  const [x, high] = above[middle];
  const low = below[Math.min(middle, below.length - 1)][1];
  const said = text(x, (high + low) / 2 + 8, label, {
    size: 23,
    fill: inks.classes.lost.text,
    anchor: "middle",
    bold: true,
  });
  return (
    area([...above, ...below.toReversed()], inks.classes.lost.fill, 0.14) + (low - high > 40 ? said : "")
  );
}

/** Names at the ends of lines, moved apart where they are close. */
function endLabels(
  series: readonly Series[],
  names: readonly string[],
  ends: readonly number[],
  { right, width, top, bottom }: LabelRoom,
  inks: Palette,
): string[] {
  const places = spread(ends, font * 1.35, top + 6, bottom);
  return series.flatMap((curve, i) => [
    line(right + 4, ends[i], right + 18, places[i], { colour: inkOf(curve, inks), width: 2 }),
    text(right + 24, places[i] + font * 0.35, fitted(names[i], font * 1.05, width - 26), {
      size: font,
      fill: inkOf(curve, inks),
      bold: i === 0,
    }),
  ]);
}

/** The length of a line sample in a legend. */
const sample = 50;

/** A sample of each line, and its name. */
function legend(
  series: readonly Series[],
  names: readonly string[],
  { right, width, top, bottom }: LabelRoom,
  inks: Palette,
): string[] {
  const step = Math.min(font * 1.6, (bottom - top) / series.length);
  const place = width - 26 - sample;
  const widest = Math.max(...names.map((name, i) => textWidth(name, 1.05, i === 0)));
  const size = Math.min(font, step * 0.8, Math.max(15, place / widest));
  return series.flatMap((curve, i) => {
    const [colour, y] = [inkOf(curve, inks), top + step * (i + 0.5)];
    const stroke = { colour, width: i === 0 ? 6 : 3.5, dashes: dashOf(curve) };
    return [
      polyline(
        [
          [right + 20, y],
          [right + 12 + sample, y],
        ],
        stroke,
      ),
      text(right + 24 + sample, y + size * 0.35, fitted(names[i], size * 1.05, place), {
        size,
        fill: colour,
        bold: i === 0,
      }),
    ];
  });
}

/** If this many lines end closer together than their labels can be, a legend replaces labels with equal numbers. */
const bundleSize = 3;
const bundleGap = 6;

/** The indices of such lines, each bundle from top to bottom. */
export function bundlesOf(ends: readonly number[]): number[][] {
  const order = ends.map((_, i) => i).sort((a, b) => ends[a] - ends[b] || a - b);
  const bundles: number[][] = [];
  for (const i of order) {
    const last = bundles.at(-1);
    const near = last !== undefined && ends[i] - ends[last[last.length - 1]] <= bundleGap;
    if (near) last.push(i);
    else bundles.push([i]);
  }
  return bundles.filter((bundle) => bundle.length >= bundleSize);
}

function nameOf({ label, values }: Series, format: (value: number) => string): string {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? label : `${label} ${format(last)}`;
}

function inkOf({ ink }: Series, inks: Palette): string {
  return ink === null ? inks.muted : inks.series[ink % inks.series.length];
}

function dashOf({ ink }: Series): string {
  return ink === null ? "4 8" : dashes[ink % dashes.length];
}
