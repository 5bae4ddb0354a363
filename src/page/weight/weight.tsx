import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ulp } from "../../format/neighbours.js";
import { format as formatNamed } from "../../format/registry.js";
import type { Rounding } from "../../format/round.js";
import type { Class } from "../../lens/classify.js";
import { explainStep, type StepExplanation } from "../../lens/explain/explain.js";
import { numeral } from "../../lens/explain/numeral.js";
import { reason, verdict } from "../../report/explanation-words.js";
import { count, short } from "../../report/numbers.js";
import { NumberField, Select } from "../controls/fields.js";
import { Misread } from "../controls/misread.js";
import { Powers } from "../controls/powers.js";
import { Scroll } from "../controls/scroll.js";
import { readState, writeState } from "../location.js";
import type { Visit } from "../place.js";
import { formatOptions, roundingOptions } from "../settings.js";
import { Bits } from "./bits.js";
import { NumberLine } from "./number-line.js";
import { leastGaps, mostGaps, usualSteps, type WeightState, weightFields } from "./state.js";
import { usePlayed } from "./use-played.js";
import { mostSteps, rangeOf, type Track, upTo, walk } from "./walk.js";
import { WalkChart } from "./walk-chart.js";

/** One weight and one update: where the sum is stored, and the result of a thousand of them. */
export function WeightView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(weightFields, visit.parameters));
  /** The centre of the line; null: w. Dragging w does not move the line. */
  const held = useSignal<number | null>(null);
  const { w, u, format: formatName, rounding, gaps, steps } = state.value;
  const format = formatNamed(formatName);
  const explanation = useMemo(
    () => explainStep(w, u, { format, rounding }),
    [numeral(w), numeral(u), formatName, rounding],
  );
  const stored = Number(explanation.weight.stored);
  const finite = Number.isFinite(stored);
  const gap = ulp(finite ? stored : format.maxFinite, format);
  const centre = held.value ?? stored;
  const span = gaps * gap;
  const shown = usePlayed(steps);
  const whole = useMemo(
    () => walk({ weight: w, update: u, format, rounding, seed: 1 }, steps),
    [numeral(w), numeral(u), formatName, rounding, steps],
  );
  const tracks = whole.map((track) => upTo(track, shown));

  const change = (part: Partial<WeightState>) => {
    // If w is set elsewhere, the line is centred there.
    if ("w" in part || "format" in part) held.value = null;
    // Another number or format starts another walk, and dragging is only fast enough for one of default length.
    const anew = "steps" in part || "gaps" in part ? {} : { steps: Math.min(state.peek().steps, usualSteps) };
    state.value = { ...state.peek(), ...anew, ...part };
  };
  useEffect(() => visit.note(writeState(weightFields, state.value)), [state.value]);
  const zoom = (factor: number) =>
    change({ gaps: Math.min(mostGaps, Math.max(leastGaps, state.peek().gaps * factor)) });
  /** Chooses a width that shows both update and gap. */
  const fit = () => {
    held.value = null;
    change({ gaps: Math.min(mostGaps, Math.max(4, (3 * Math.abs(u)) / gap)) });
  };

  return (
    <section class="weight" aria-labelledby="weight-title">
      <h1 id="weight-title" class={`finding ${certainClass(explanation) ?? ""}`}>
        {verdict(explanation)}
      </h1>
      <p class="reason">
        <Powers text={reason(explanation)} />
      </p>
      <Misread visit={visit} fields={weightFields} />
      <div class="weight-settings">
        <NumberField
          label="Weight w"
          value={w}
          field={weightFields.w}
          onChange={(value) => change({ w: value })}
        />
        <NumberField
          label="Update u"
          value={u}
          field={weightFields.u}
          onChange={(value) => change({ u: value })}
        />
        <Select
          label="Format"
          value={formatName}
          options={formatOptions}
          onChange={(value) => change({ format: value })}
        />
        <Select
          label="Rounding"
          value={rounding}
          options={roundingOptions}
          onChange={(value) => change({ rounding: value as Rounding })}
        />
        <fieldset class="zoom" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={() => zoom(0.5)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => zoom(2)}>
            −
          </button>
          <button type="button" onClick={fit}>
            Fit
          </button>
          <button
            type="button"
            onClick={() => change({ gaps: Math.max(leastGaps, (8 * Math.abs(u)) / gap) })}
          >
            To u
          </button>
        </fieldset>
      </div>
      {finite && (
        <NumberLine
          explanation={explanation}
          line={{ centre, span }}
          onWeight={(value) => {
            const inside = Math.abs(value - centre) < span / 2;
            change({ w: value });
            held.value = inside ? centre : null;
          }}
          onUpdate={(value) => change({ u: Math.fround(value) })}
          onZoom={zoom}
          onPan={(by) => {
            held.value = centre + by;
          }}
        />
      )}
      <div class="stack">
        <div class="panel walk">
          <div class="transport">
            <h2>The same update, again and again</h2>
            <button type="button" onClick={() => change({ steps: Math.min(mostSteps, steps + 1) })}>
              Step
            </button>
            <button
              type="button"
              class="primary"
              onClick={() => change({ steps: Math.min(mostSteps, steps + usualSteps) })}
            >
              1000 steps
            </button>
            <button type="button" onClick={() => change({ steps: 0 })}>
              Reset
            </button>
          </div>
          <div class="walk-columns">
            {finite && <WalkChart tracks={tracks} format={format} range={rangeOf(whole)} steps={steps} />}
            <WalkTable tracks={tracks} steps={shown} />
          </div>
        </div>
        <div class="panel">
          <Bits value={stored} format={format} onChange={(value) => change({ w: value })} />
        </div>
      </div>
    </section>
  );
}

/** The class of the update, unless it is random. */
function certainClass({ rounding, step: { outcomes } }: StepExplanation): Class | null {
  const [{ becomes }, ...others] = outcomes;
  return others.length > 0 || (rounding === "stochastic" && becomes === "lost") ? null : becomes;
}

function WalkTable({ tracks, steps }: { tracks: readonly Track[]; steps: number }) {
  return (
    <Scroll label="What the steps came to">
      <table>
        <caption class="visually-hidden">What {steps} steps came to</caption>
        <thead>
          <tr>
            <th scope="col">stored</th>
            <th scope="col">w now</th>
            <th scope="col">moved</th>
            <th scope="col">kept</th>
            <th scope="col">lost</th>
            <th scope="col">first moved</th>
          </tr>
        </thead>
        <tbody>
          {tracks.map(({ name, label, state, counts, firstMoved }) => (
            <tr key={name} data-track={name}>
              <th scope="row">
                <i class={`swatch ${name}`} />
                {label}
              </th>
              <td>{short(state.weight)}</td>
              <td>{count(counts.moved)}</td>
              <td>{count(counts.kept)}</td>
              <td>
                {name === "stochastic" && counts.lost > 0 && <small>by chance </small>}
                {count(counts.lost)}
              </td>
              <td>{firstMoved === null ? "never yet" : `step ${count(firstMoved)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
