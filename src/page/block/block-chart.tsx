import { useRef } from "preact/hooks";
import { short } from "../../report/numbers.js";
import { useWidth } from "../weight/use-width.js";
import { largestAt, type SharedStep } from "./shared-step.js";

const usualHeight = 330;
const margin = { top: 26, bottom: 14, left: 64, right: 12 };
/** Grid lines closer than this many pixels are omitted. */
const leastApart = 3;
/** The share of the height by which arrow keys move the update. */
const keyStep = 1 / 200;

/**
 * The numbers of a block before and after a step, one column each; the update of the largest can be dragged. Horizontal
 * lines are the numbers that the scale can represent.
 */
export function BlockChart(props: {
  step: SharedStep;
  /** The smallest update that makes the scale larger. */
  least: number;
  onUpdate(update: number): void;
  height?: number;
}) {
  const { step, least, onUpdate, height = usualHeight } = props;
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const dragged = useRef(false);
  const { weights, scales, sum } = step;
  const start = sum - step.update;
  const moved = scales.after !== scales.before;
  const others = weights.flatMap(({ before, after }, i) => (i === largestAt ? [] : [before, after]));
  // The range is constant while the update is dragged.
  const [low, high] = [1.6 * Math.min(...others, -0.07), start + 1.35 * least + 0.02];
  const y = (value: number) =>
    margin.top + ((high - value) / (high - low)) * (height - margin.top - margin.bottom);
  const column = (width - margin.left - margin.right) / weights.length;
  const x = (i: number) => margin.left + (i + 0.5) * column;
  const own = x(largestAt);
  /** Next to the stored number. */
  const knob = own + Math.min(28, Math.max(14, column / 2));
  const dot = Math.min(height / 45, Math.max(3.5, column * 0.22));
  const within = (value: number) => Math.max(low, Math.min(high, value));

  function move(event: PointerEvent): void {
    const { top } = ref.current!.getBoundingClientRect();
    const share = (event.clientY - top - margin.top) / (height - margin.top - margin.bottom);
    onUpdate(within(high - share * (high - low)) - start);
  }
  const release = () => {
    dragged.current = false;
  };

  return (
    <div class="block-chart" ref={ref} data-scale-moved={moved}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>The numbers of a block before and after one update</title>
        {apart(
          step.grid.filter((value) => value >= low && value <= high),
          y,
        ).map((value) => (
          <line
            key={value}
            x1={margin.left}
            x2={width - margin.right}
            y1={y(value)}
            y2={y(value)}
            class={moved ? "grid renewed" : "grid"}
          />
        ))}
        {[-0.1, 0, 0.1, 0.2, 0.3, 0.4].map(
          (value) =>
            value >= low &&
            value <= high && (
              <text key={value} x={margin.left - 10} y={y(value) + 5} text-anchor="end">
                {short(value)}
              </text>
            ),
        )}
        <line x1={margin.left} x2={width - margin.right} y1={y(0)} y2={y(0)} class="axis" />
        {weights.map(({ before, after, becomes }, i) => (
          <g key={`${i + 1}`} class={`stored ${becomes}`} data-weight={i} data-class={becomes}>
            {before !== after && (
              <>
                <circle cx={x(i)} cy={y(within(before))} r={dot} class="before" />
                <line x1={x(i)} x2={x(i)} y1={y(within(before))} y2={y(within(after))} />
              </>
            )}
            <circle cx={x(i)} cy={y(within(after))} r={dot} class="after" />
          </g>
        ))}
        <line
          x1={own - 0.4 * column}
          x2={Math.min(width - margin.right, knob + 150)}
          y1={y(start + least)}
          y2={y(start + least)}
          class="boundary"
        />
        <text x={knob + 18} y={y(start + least) - 7} class="boundary-label">
          scale grows here
        </text>
        <g
          class="handle"
          role="slider"
          tabindex={0}
          aria-label="Update u of the largest weight"
          aria-valuenow={Number(step.update.toPrecision(4))}
          aria-valuetext={`update ${short(step.update)}`}
          aria-orientation="vertical"
          onPointerDown={(event) => {
            event.preventDefault();
            dragged.current = true;
            event.currentTarget.setPointerCapture(event.pointerId);
            event.currentTarget.focus();
          }}
          onPointerMove={(event) => dragged.current && move(event)}
          onPointerUp={release}
          onPointerCancel={release}
          onKeyDown={(event) => {
            const up = event.key === "ArrowUp" || event.key === "ArrowRight";
            const down = event.key === "ArrowDown" || event.key === "ArrowLeft";
            if (!up && !down) return;
            event.preventDefault();
            onUpdate(within(sum + (up ? keyStep : -keyStep) * (high - low)) - start);
          }}
        >
          <line x1={knob} x2={knob} y1={y(start)} y2={y(within(sum))} class="drag" />
          <circle cx={knob} cy={y(within(sum))} r={22} class="reach" />
          <circle cx={knob} cy={y(within(sum))} r={10} class="knob" />
        </g>
        <text x={knob + 18} y={y(within(sum)) + (sum > high ? -12 : 16)} class="strong">
          {sum === within(sum) ? "w + u" : `w + u = ${short(sum)}, off scale`}
        </text>
      </svg>
    </div>
  );
}

/** Those of ascending values that are far enough from the last one drawn. */
function apart(values: readonly number[], y: (value: number) => number): number[] {
  const kept: number[] = [];
  for (const value of values) {
    const last = kept.at(-1);
    if (last === undefined || y(last) - y(value) >= leastApart) kept.push(value);
  }
  return kept;
}
