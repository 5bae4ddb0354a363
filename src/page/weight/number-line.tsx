import { useRef } from "preact/hooks";
import { encode } from "../../format/encode.js";
import type { Format } from "../../format/format.js";
import { nextDown, nextUp } from "../../format/neighbours.js";
import { format as formatNamed } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { binOf } from "../../lens/bin.js";
import type { Class } from "../../lens/classify.js";
import type { StepExplanation } from "../../lens/explain/explain.js";
import { chance } from "../../report/explanation-words.js";
import { short } from "../../report/numbers.js";
import { ticksIn } from "./bins.js";
import { useWidth } from "./use-width.js";

const height = 250;
/** The height of the line; bins are above it, labels below. */
const axis = 176;
const binTop = 78;
/** The width of a label, and the distance of neighbours from which their midpoint is drawn, in pixels. */
const labelWidth = 132;
const middleWidth = 24;
/** A dragged sum closer to a midpoint than this many pixels snaps to it. */
const tieReach = 4;

interface Line {
  readonly centre: number;
  /** The interval shown by the whole width. */
  readonly span: number;
}

/** The numbers of a format, the intervals that round to them, and the positions of w and w + u. */
export function NumberLine(props: {
  /** Valid for a finite weight. */
  explanation: StepExplanation;
  line: Line;
  onWeight(weight: number): void;
  onUpdate(update: number): void;
  onZoom(factor: number): void;
  onPan(by: number): void;
}) {
  const { explanation, line, onWeight, onUpdate, onZoom, onPan } = props;
  const { rounding } = explanation;
  const format = formatNamed(explanation.format);
  const step = stepOf(explanation);
  const [ref, width] = useWidth<HTMLDivElement>(1000);
  const dragged = useRef<"weight" | "update" | "line" | null>(null);
  const low = line.centre - line.span / 2;
  /** Far numbers and NaN are placed beyond the ends. */
  const x = (value: number) =>
    Number.isNaN(value) ? 1e5 : Math.max(-1e5, Math.min(1e5, ((value - low) / line.span) * width));
  const valueAt = (event: PointerEvent) => {
    const { left } = ref.current!.getBoundingClientRect();
    return low + ((event.clientX - left) / width) * line.span;
  };
  const { values, stride } = ticksIn(low, low + line.span, format, width / 9);
  const spacing = values.length > 1 ? width / values.length : width;
  const [from, to] = [x(step.stored), x(step.sum)];
  const drawn = step.ways.length > 1;
  const wayTo = (value: number) => step.ways.find((way) => way.weight === value);
  /** The colour of the arrow: the class of the update if it is certain. */
  const colour = drawn ? "either" : inkOf(step.ways[0], rounding);

  function move(event: PointerEvent): void {
    const at = valueAt(event);
    if (dragged.current === "line") onPan((-event.movementX / width) * line.span);
    if (dragged.current === "weight") onWeight(round(at, format, { overflow: "saturate" }));
    if (dragged.current === "update")
      onUpdate(nearTie(at, format, (tieReach / width) * line.span) - step.stored);
  }
  const grab = (what: "weight" | "update" | "line") => (event: PointerEvent) => {
    event.stopPropagation();
    event.preventDefault();
    dragged.current = what;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    if (what !== "line") (event.currentTarget as SVGElement).focus();
  };
  const release = () => {
    dragged.current = null;
  };
  const handlers = (what: "weight" | "update" | "line") => ({
    onPointerDown: grab(what),
    onPointerMove: (event: PointerEvent) => dragged.current === what && move(event),
    onPointerUp: release,
    onPointerCancel: release,
  });

  return (
    <div class="number-line" ref={ref}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        {...handlers("line")}
        onWheel={(event) => {
          event.preventDefault();
          onZoom(event.deltaY < 0 ? 1 / 1.25 : 1.25);
        }}
      >
        <title>Numbers of {format.name} around w, and the intervals that round to them</title>
        <defs>
          <marker
            id="head"
            viewBox="0 0 10 10"
            refX="9"
            refY="5"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0 0 10 5 0 10z" class={`head ${colour}`} />
          </marker>
        </defs>
        {stride === 1 &&
          values.map((value) => {
            const bin = binOf(value, format, rounding);
            const [left, right] = [x(bin.low), x(bin.high)];
            const way = wayTo(value);
            const className = way ? inkOf(way, rounding) : value === step.stored ? "start" : "other";
            return (
              <g key={value} class={`bin ${className} ${rounding === "stochastic" ? "shared" : ""}`}>
                <rect
                  x={left + 0.75}
                  y={binTop}
                  width={Math.max(0, right - left - 1.5)}
                  height={axis - binTop}
                  rx="3"
                />
                {rounding.startsWith("nearest") && spacing > middleWidth && (
                  <line x1={right} x2={right} y1={binTop - 7} y2={axis} />
                )}
              </g>
            );
          })}
        <line x1={0} x2={width} y1={axis} y2={axis} class="axis" />
        {values.map((value) => (
          <line
            key={value}
            x1={x(value)}
            x2={x(value)}
            y1={axis - (isPower(value) ? 16 : 9)}
            y2={axis + 7}
            class="tick"
          />
        ))}
        {labelled(values, step, x, width).map(({ value, at }) => (
          <text key={value} x={at} y={axis + 25} text-anchor="middle" class={wayTo(value) ? "strong" : ""}>
            {short(value)}
          </text>
        ))}
        {stride > 1 && (
          <text x={width - 4} y={binTop - 8} text-anchor="end">
            a tick every {stride.toLocaleString("en")} numbers
          </text>
        )}
        <g class={`fall ${colour}`}>
          <line x1={from} x2={from} y1={34} y2={axis} class="drop" />
          {Math.abs(to - from) > 40 && (
            <line x1={from} x2={to} y1={44} y2={44} class="arrow" marker-end="url(#head)" />
          )}
        </g>
        {step.ways.map((way) => {
          const settled = x(way.weight);
          return (
            <g key={way.weight} class={`fall ${inkOf(way, rounding)}`}>
              <path d={`M${to} 44 C${to} 110 ${settled} 96 ${settled} ${axis - 12}`} class="snap" />
              <circle cx={settled} cy={axis} r={6} class="landed" />
              {drawn && (
                <text x={settled} y={axis - 18} text-anchor="middle" class="strong chance">
                  {chance(way.probability)}
                </text>
              )}
            </g>
          );
        })}
        <GapMark step={step} x={x} />
        <Handle
          kind="weight"
          x={from}
          y={axis}
          label="w"
          text={`weight ${short(step.stored)}`}
          value={encode(step.stored, format)}
          handlers={handlers("weight")}
          onKey={(key) => {
            if (key === "up") onWeight(nextUp(step.stored, format));
            if (key === "down") onWeight(nextDown(step.stored, format));
          }}
        />
        <Handle
          kind="update"
          x={to}
          y={44}
          label="w + u"
          text={`update ${short(step.update)}, sum ${short(step.sum)}`}
          value={Number.isFinite(step.update / step.gap) ? Number((step.update / step.gap).toFixed(4)) : 0}
          handlers={handlers("update")}
          onKey={(key) => {
            const by = line.span / 200;
            onUpdate(step.update + (key === "up" ? by : -by));
          }}
        />
      </svg>
    </div>
  );
}

/** The parts of an explanation that are drawn. */
interface Step {
  readonly stored: number;
  readonly update: number;
  readonly sum: number;
  /** The gap in the direction of the update; NaN beyond the finite numbers. */
  readonly gap: number;
  /** The possible stored weights: two under stochastic rounding. */
  readonly ways: readonly Way[];
}

interface Way {
  readonly weight: number;
  readonly becomes: Class;
  readonly probability: number;
}

function stepOf({ weight, update, sum, step }: StepExplanation): Step {
  return {
    stored: Number(weight.stored),
    update: Number(update.fp32),
    sum: Number(sum.value),
    gap: update.gap ?? weight.gapAbove ?? Number.NaN,
    ways: step.outcomes.map((outcome) => ({ ...outcome, weight: Number(outcome.weight) })),
  };
}

/** The class that colours an outcome. Staying by chance is not a loss: the update arrives on average. */
function inkOf({ becomes }: Way, rounding: StepExplanation["rounding"]): Class | "start" {
  return becomes === "lost" && rounding === "stochastic" ? "start" : becomes;
}

/** The width of the gap in the direction of the update, if there is room. */
function GapMark({ step, x }: { step: Step; x: (value: number) => number }) {
  const { stored, gap } = step;
  if (!Number.isFinite(gap)) return null;
  const [from, to] = [x(stored), x(stored + (step.update < 0 ? -gap : gap))];
  if (Math.abs(to - from) < 120 || Math.abs(to - from) > 4000) return null;
  const y = binTop + 34;
  return (
    <g class="gap-mark">
      <path d={`M${from} ${y - 6}v12M${to} ${y - 6}v12M${from} ${y}H${to}`} />
      <text x={(from + to) / 2} y={y - 8} text-anchor="middle" class="strong">
        gap {short(gap)}
      </text>
    </g>
  );
}

function Handle(props: {
  kind: string;
  x: number;
  y: number;
  label: string;
  text: string;
  /** An integer or a short decimal, as assistive technology requires. */
  value: number;
  handlers: object;
  onKey(key: "up" | "down"): void;
}) {
  const { kind, x, y, label, text, value, handlers, onKey } = props;
  return (
    <g
      class={`handle ${kind}`}
      role="slider"
      tabindex={0}
      aria-label={kind === "weight" ? "Weight w" : "Update u"}
      aria-valuenow={value}
      aria-valuetext={text}
      {...handlers}
      onKeyDown={(event) => {
        const up = event.key === "ArrowRight" || event.key === "ArrowUp";
        const down = event.key === "ArrowLeft" || event.key === "ArrowDown";
        if (!up && !down) return;
        event.preventDefault();
        onKey(up ? "up" : "down");
      }}
    >
      <circle cx={x} cy={y} r={22} class="reach" />
      <circle cx={x} cy={y} r={10} class="knob" />
      <text x={x} y={kind === "weight" ? y + 46 : y - 18} text-anchor="middle" class="strong">
        {label}
      </text>
    </g>
  );
}

/** The sum, or the midpoint of its neighbours if within reach. */
function nearTie(at: number, format: Format, reach: number): number {
  const middle = (nextDown(at, format) + nextUp(at, format)) / 2;
  return Math.abs(at - middle) < reach ? middle : at;
}

/** The labels that fit; those of w, of the stored results and of powers of two have priority. */
function labelled(values: readonly number[], step: Step, x: (value: number) => number, width: number) {
  const urgency = (value: number) =>
    step.ways.some(({ weight }) => weight === value) ? 0 : value === step.stored ? 1 : isPower(value) ? 2 : 3;
  const placed: { value: number; at: number }[] = [];
  for (const value of [...values].sort((a, b) => urgency(a) - urgency(b) || x(a) - x(b))) {
    const at = x(value);
    if (at < labelWidth / 2 || at > width - labelWidth / 2) continue;
    if (placed.every((other) => Math.abs(other.at - at) >= labelWidth)) placed.push({ value, at });
  }
  return placed;
}

function isPower(value: number): boolean {
  return value !== 0 && Number.isInteger(Math.log2(Math.abs(value)));
}
