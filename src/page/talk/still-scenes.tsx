import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ulp } from "../../format/neighbours.js";
import { format as formatNamed } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { explainStep } from "../../lens/explain/explain.js";
import { percent, short } from "../../report/numbers.js";
import { NumberLine } from "../weight/number-line.js";
import { walk } from "../weight/walk.js";
import { WalkChart } from "../weight/walk-chart.js";
import { address } from "./address.js";
import { audienceHeight } from "./audience-height.js";
import { QrCode } from "./qr-code.js";

const bf16 = formatNamed("bf16");
const weight = round(0.02, bf16);
const update = 1e-6;

/** The number line around a typical weight; it can be dragged. */
export function GapScene() {
  const w = useSignal(weight);
  const u = useSignal(update);
  const gaps = useSignal(5);
  const centre = useSignal(weight);
  const gap = ulp(w.value, bf16);
  const span = gaps.value * gap;
  return (
    <div class="gap-scene">
      <NumberLine
        explanation={explainStep(w.value, u.value, { format: bf16 })}
        line={{ centre: centre.value, span }}
        onWeight={(value) => {
          w.value = value;
        }}
        onUpdate={(value) => {
          u.value = Math.fround(value);
        }}
        onZoom={(factor) => {
          gaps.value = Math.min(200, Math.max(0.05, gaps.value * factor));
        }}
        onPan={(by) => {
          centre.value += by;
        }}
      />
      <div class="gap-notes">
        <p>
          <b>u = {short(u.value)}</b> is {percent(Math.abs(u.value) / (gap / 2))} of half the gap.
          <span class="cue">↔ Drag w + u: past half the gap, the weight moves.</span>
        </p>
        <Inset update={u.value} span={span} />
      </div>
    </div>
  );
}

const inset = { width: 340, height: 124, axis: 60, from: 70, to: 270 };

/** The update, enlarged to fill the picture. `span` is the width of the number line, about 1200 pixels. */
function Inset({ update, span }: { update: number; span: number }) {
  const { width, height, axis, from, to } = inset;
  if (update === 0) return null;
  const [start, end] = update > 0 ? [from, to] : [to, from];
  const factor = (to - from) / Math.abs(update) / (1200 / span);
  const words =
    factor >= 1.5 ? `the same step, ${short(Number(factor.toPrecision(1)))} times larger` : "the step";
  return (
    <svg
      class="inset"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`From w to w + u, enlarged: u is ${short(update)}`}
    >
      <line x1={20} x2={width - 20} y1={axis} y2={axis} class="axis" />
      <line x1={start} x2={end} y1={axis - 20} y2={axis - 20} class="arrow" />
      <path d={`M${end} ${axis - 20}l${update > 0 ? -9 : 9} -5v10z`} class="head" />
      <text x={(from + to) / 2} y={axis - 30} text-anchor="middle" class="strong">
        u
      </text>
      <circle cx={start} cy={axis} r={8} class="knob" />
      <circle cx={end} cy={axis} r={8} class="knob" />
      <text x={start} y={axis + 28} text-anchor="middle" class="strong">
        w
      </text>
      <text x={end} y={axis + 28} text-anchor="middle" class="strong">
        w + u
      </text>
      <text x={width / 2} y={height - 10} text-anchor="middle" class="caption">
        {words}
      </text>
    </svg>
  );
}

const pushes = 1000;
const leastPushHeight = 380;
/** Steps per frame: about four seconds in all. */
const pushesAFrame = 4;

/** A thousand equal updates, in-place and in fp32; `still` shows only the end. */
export function PushScene({ still = false }: { still?: boolean }) {
  const steps = useSignal(still ? pushes : 0);
  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) steps.value = pushes;
    let next = requestAnimationFrame(function tick() {
      steps.value = Math.min(pushes, steps.value + pushesAFrame);
      if (steps.value < pushes) next = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(next);
  }, []);
  const whole = useMemo(
    () => walk({ weight, update, format: bf16, rounding: "nearest-even", seed: 1 }, pushes).slice(0, 3),
    [],
  );
  const shown = whole.map((track) => {
    const path = track.path.slice(0, steps.value + 1);
    return { ...track, path, state: { ...track.state, weight: path.at(-1)! } };
  });
  return (
    <>
      <WalkChart
        tracks={shown}
        format={bf16}
        range={[weight, weight + pushes * update]}
        steps={pushes}
        height={still ? leastPushHeight : audienceHeight(leastPushHeight, 0.5)}
        large
      />
      <p class="push-count">
        <b class="figure" data-fact="pushes">
          {steps.value}
        </b>{" "}
        updates of {update.toExponential()}; in-place the weight is still {short(shown[1].state.weight)}
      </p>
    </>
  );
}

/** The commands to type, and the tool's address. */
export function YoursScene() {
  return (
    <div class="yours-scene">
      <div>
        <pre class="mono">
          <code>
            <i>precision-lens</i> run RUN{"\n"}
            <i>precision-lens</i> diff base/ tuned/{"\n"}
            <i>precision-lens</i> explain 0.02 1e-6{"\n"}
            <i>precision-lens</i> serve
          </code>
        </pre>
        <ul>
          <li>
            every update is counted once: zero, lost, kept, moved, not finite, or changed by a shared scale
          </li>
          <li>lost is not zero: it is what storage rounded away</li>
          <li>an fp32 master or compensation keeps it; stochastic rounding does on average</li>
          <li>
            at your rate, in your format? <a href="#learn">Two models, side by side</a>
          </li>
        </ul>
      </div>
      {address !== null && (
        <p class="address">
          <QrCode text={address} />
          <b>{address.replace(/^https?:\/\//, "").replace(/\/$/, "")}</b>
        </p>
      )}
    </div>
  );
}
