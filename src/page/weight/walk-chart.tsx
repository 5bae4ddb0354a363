import type { Format } from "../../format/format.js";
import { short } from "../../report/numbers.js";
import { gridIn } from "./bins.js";
import { useWidth } from "./use-width.js";
import type { Track } from "./walk.js";

/** Layouts for labels 14 pixels high, and up to 20. */
const sizes = {
  usual: { height: 300, left: 84, labelHeight: 20 },
  large: { height: 380, left: 116, labelHeight: 26 },
};
/** The width of labels at the right: with names only, or with the value of a nonfinite weight. */
const labelWidths = { name: 146, full: 210, phone: 100 };
/** In charts narrower than this, labels are shortened. */
const narrow = 480;

/** Stored weights by step, one line per way of storing; grid lines are the numbers of the format. */
export function WalkChart(props: {
  tracks: readonly Track[];
  format: Format;
  /** The vertical range, for a walk shown while it advances. */
  range?: readonly [number, number];
  steps?: number;
  /** For an audience: larger type. */
  large?: boolean;
  height?: number;
}) {
  const { tracks, format, range = [] } = props;
  const [ref, width] = useWidth<HTMLDivElement>(800);
  const {
    left: usualLeft,
    labelHeight,
    ...size
  } = props.large && width >= narrow ? sizes.large : sizes.usual;
  const { height = size.height } = props;
  const steps = props.steps ?? tracks[0].path.length - 1;
  const all = [...tracks.flatMap(({ path }) => path).filter(Number.isFinite), ...range];
  const start = tracks[0].path[0];
  let [low, high] = bounds(all);
  if (low === high)
    [low, high] = [start - Math.abs(start || 1) * 2 ** -8, start + Math.abs(start || 1) * 2 ** -8];
  const finite = tracks.every(({ state }) => Number.isFinite(state.weight));
  const named = width < narrow ? labelWidths.phone : labelWidths.name;
  const right = finite ? named : labelWidths.full;
  const pad = (high - low) * 0.06;
  [low, high] = [low - pad, high + pad];
  const values = gridIn(low, high, format);
  const longest = Math.max(...values.map((value) => axisText(value, values).length));
  const margin = { top: 14, bottom: 30, left: Math.max(usualLeft, (longest + 2) * (labelHeight / 2)) };
  const inner = { width: width - margin.left - right, height: height - margin.top - margin.bottom };
  const x = (step: number) => margin.left + (steps === 0 ? 0 : (step / steps) * inner.width);
  const y = (value: number) => margin.top + (1 - (value - low) / (high - low)) * inner.height;
  const labels = spread(
    // NaN is drawn at the top, where most weights leave the finite numbers.
    tracks.map(({ state: { weight } }) =>
      y(Math.max(low, Math.min(high, Number.isNaN(weight) ? high : weight))),
    ),
    22,
    height - margin.bottom,
  );
  return (
    <div class="walk-chart" ref={ref}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Stored weight after ${steps} steps: ${tracks
          .map(({ label, state }) => `${label} ${short(state.weight)}`)
          .join(", ")}`}
      >
        {values.map((value) => (
          <line
            key={value}
            x1={margin.left}
            x2={margin.left + inner.width}
            y1={y(value)}
            y2={y(value)}
            class="grid"
          />
        ))}
        {apart(values, y, labelHeight).map((value) => (
          <text key={value} x={margin.left - 8} y={y(value) + 5} text-anchor="end">
            {axisText(value, values)}
          </text>
        ))}
        {tracks.map(({ name, path }) => (
          <path key={name} d={linePath(path, x, y, name !== "fp32")} class={`track ${name}`} />
        ))}
        {tracks.map(({ name, label, state }, i) => (
          <text key={name} x={margin.left + inner.width + 8} y={labels[i] + 5} class={`track-label ${name}`}>
            {Number.isFinite(state.weight) ? label : `${label}: ${state.weight}`}
          </text>
        ))}
        {stepTicks(steps, inner.width).map((step) => (
          <g key={step}>
            <line
              x1={x(step)}
              x2={x(step)}
              y1={height - margin.bottom}
              y2={height - margin.bottom + 5}
              class="tick"
            />
            <text
              x={x(step)}
              y={height - 6}
              text-anchor={step === 0 ? "start" : step === steps ? "end" : "middle"}
            >
              {step === 0 ? "step 0" : step.toLocaleString("en")}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

/** A value of an axis, with as many decimals as the longest of all. */
function axisText(value: number, all: readonly number[]): string {
  const texts = all.map(short);
  if (texts.some((text) => !/^-?\d+\.\d+$/.test(text))) return short(value);
  return value.toFixed(Math.max(...texts.map((text) => text.length - text.indexOf(".") - 1)));
}

/** Values in ascending order, at least one label apart. */
function apart(values: readonly number[], y: (value: number) => number, least: number): number[] {
  const kept: number[] = [];
  for (const value of values) {
    const last = kept.at(-1);
    if (last === undefined || Math.abs(y(value) - y(last)) >= least) kept.push(value);
  }
  return kept;
}

/** Equal intervals of a walk, as many as fit. */
function stepTicks(steps: number, width: number): number[] {
  const parts = [4, 5, 2].find((n) => steps % n === 0 && width >= 75 * n) ?? 1;
  return steps === 0 ? [0] : Array.from({ length: parts + 1 }, (_, i) => (i * steps) / parts);
}

/** Minimum and maximum of numbers that are too many for the arguments of Math.min. */
function bounds(numbers: readonly number[]): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const n of numbers) {
    if (n < least) least = n;
    if (n > most) most = n;
  }
  return [least, most];
}

/** A path through the points where the value changes; a step function for stored weights. */
function linePath(
  path: readonly number[],
  x: (step: number) => number,
  y: (value: number) => number,
  stairs: boolean,
): string {
  const every = Math.max(1, Math.floor(path.length / 2000));
  let text = `M${x(0).toFixed(1)} ${y(path[0]).toFixed(1)}`;
  let last = path[0];
  for (let step = 1; step < path.length; step++) {
    const value = path[step];
    const end = step === path.length - 1;
    if (!Number.isFinite(value) || (!end && (value === last || (!stairs && step % every !== 0)))) continue;
    text += stairs
      ? `H${x(step).toFixed(1)}V${y(value).toFixed(1)}`
      : `L${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    last = value;
  }
  return text;
}

/** The heights of labels, moved apart so that they do not overlap. */
function spread(heights: readonly number[], least: number, bottom: number): number[] {
  const order = [...heights.keys()].sort((a, b) => heights[a] - heights[b]);
  const placed = [...heights];
  for (const [i, at] of order.entries()) {
    if (i > 0) placed[at] = Math.max(placed[at], placed[order[i - 1]] + least);
  }
  const over = (placed[order.at(-1)!] ?? 0) - bottom;
  return over > 0 ? placed.map((at) => at - over) : placed;
}
