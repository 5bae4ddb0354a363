import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ulp } from "../../format/neighbours.js";
import { format as formatNamed } from "../../format/registry.js";
import { round } from "../../format/round.js";
import { explainStep } from "../../lens/explain.js";
import { NumberLine } from "../weight/number-line.js";
import { walk } from "../weight/walk.js";
import { WalkChart } from "../weight/walk-chart.js";

const bf16 = formatNamed("bf16");
const weight = round(0.02, bf16);
const update = 1e-6;

/** The number line around a weight of usual size; it can be dragged here too. */
export function GapScene() {
  const w = useSignal(weight);
  const u = useSignal(update);
  const gaps = useSignal(5);
  const centre = useSignal(weight);
  const gap = ulp(w.value, bf16);
  return (
    <NumberLine
      explanation={explainStep(w.value, u.value, { format: bf16 })}
      line={{ centre: centre.value, span: gaps.value * gap }}
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
  );
}

const pushes = 1000;
/** Steps that a picture adds: some four seconds in all. */
const pushesAFrame = 4;

/** A thousand equal updates, in place and in fp32. */
export function PushScene() {
  const steps = useSignal(0);
  useEffect(() => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) steps.value = pushes;
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
      <WalkChart tracks={shown} format={bf16} range={[weight, weight + pushes * update]} steps={pushes} />
      <p class="push-count">
        <b class="figure" data-fact="pushes">
          {steps.value}
        </b>{" "}
        pushes of {update.toExponential()}; in place the weight is still{" "}
        {shown[1].state.weight.toPrecision(6)}
      </p>
    </>
  );
}

/** What to type. */
export function YoursScene() {
  return (
    <div class="yours">
      <pre class="mono">
        <code>
          <i>precision-lens</i> run RUN{"\n"}
          <i>precision-lens</i> diff base/ tuned/{"\n"}
          <i>precision-lens</i> explain 0.02 1e-6{"\n"}
          <i>precision-lens</i> serve
        </code>
      </pre>
      <ul>
        <li>every update is one of five: zero, lost, kept, moved, not finite</li>
        <li>lost is not zero: it is what storage rounded away</li>
        <li>an fp32 master or compensation keeps it; stochastic rounding does on average</li>
        <li>
          and does the model learn? <a href="#learn">Two models, side by side</a>
        </li>
      </ul>
    </div>
  );
}
