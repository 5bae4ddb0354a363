import type { Palette } from "./palette.js";
import { line, text } from "./svg.js";

/** Maps numbers to positions along an axis. */
export interface Scale {
  readonly place: (x: number) => number;
  readonly ticks: readonly number[];
}

/** From `least` to `most`, widened to round numbers, over [from, to]. */
export function linearScale(least: number, most: number, from: number, to: number, wanted = 5): Scale {
  const step = roundStep((most - least || Math.abs(most) || 1) / wanted);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const [low, high] = [ticks[0], ticks.at(-1)!];
  return { place: (x) => from + ((x - low) / (high - low)) * (to - from), ticks };
}

/**
 * A logarithmic scale that includes [least, most], both positive. Its ends are 1, 2 or 5 times a power of ten, at least
 * a factor of ten apart. Smaller numbers are on the axis. Ticks are the lower end and the powers of ten above it.
 */
export function logScale(least: number, most: number, from: number, to: number): Scale {
  const low = 1 / roundStep(1 / least);
  const high = Math.max(10 * low, roundStep(most));
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const powers: number[] = [];
  for (let power = first; 10 ** power <= high * (1 + 1e-9); power++) powers.push(Number(`1e${power}`));
  const ticks = [Number(low.toPrecision(1)), ...powers.filter((power) => power > low * 1.5)];
  const place = (x: number) =>
    x <= low ? from : from + ((Math.log10(x) - Math.log10(low)) / Math.log10(high / low)) * (to - from);
  return { place, ticks };
}

/** Rounds up to 1, 2 or 5 times a power of ten. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9))!;
}

/** The indices to label: few enough to be apart, with the first and the last. */
export function labelled(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  const stride = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 10_000].find(
    (candidate) => length / candidate <= most,
  );
  const chosen: number[] = [];
  for (let i = 0; i < length; i += stride ?? length) chosen.push(i);
  return chosen;
}

/** Moves positions apart to at least `gap` between neighbours, in order, within [least, most] if there is room. */
export function spread(places: readonly number[], gap: number, least: number, most: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b] || a - b);
  const moved = [...places];
  let floor = least;
  for (const i of order) {
    moved[i] = Math.max(moved[i], floor);
    floor = moved[i] + gap;
  }
  let ceiling = most;
  for (const i of order.reverse()) {
    moved[i] = Math.min(moved[i], ceiling);
    ceiling = moved[i] - gap;
  }
  return moved;
}

/** A vertical axis: lines of a grid from `left` to `right`, with their labels to the left. */
export function verticalAxis(
  { place, ticks }: Scale,
  [left, right]: readonly [number, number],
  label: (tick: number) => string,
  inks: Palette,
): string[] {
  return ticks.flatMap((tick, i) => [
    line(left, place(tick), right, place(tick), { colour: i === 0 ? inks.line : inks.grid }),
    text(left - 12, place(tick) + 7, label(tick), { size: 20, fill: inks.muted, anchor: "end" }),
  ]);
}

/** The label of a share on an axis. */
export function percentTick(tick: number): string {
  return `${Number((100 * tick).toPrecision(3))}%`;
}
