import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Rounding } from "../../format/round.js";
import { usualRates } from "../../learn/training.js";
import { type LearningRun, learningRuns } from "../../lens/learning/learning.js";
import { displacementCounted, updatesCounted } from "../../report/nonfinite.js";
import { percent, ratio, share } from "../../report/numbers.js";
import { classWordsOf } from "../../report/rounding-words.js";
import type { SchemeName } from "../../update/scheme.js";
import { ClassBar } from "../controls/class-bar.js";
import { Emphasis } from "../controls/emphasis.js";
import { Select, Slider } from "../controls/fields.js";
import { Misread } from "../controls/misread.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import { readState, writeState } from "../location.js";
import type { Visit } from "../place.js";
import { formatOptions, roundingOptions, schemeOptions, storageWords } from "../settings.js";
import { Classroom } from "./classroom.js";
import type { Learner } from "./duel.js";
import { RewardChart } from "./reward-chart.js";
import { heading, lensSentence, lensTone } from "./sentences.js";
import {
  chosenInk,
  type LearnState,
  lastStep,
  learnFields,
  learnRates,
  smoothed,
  trainings,
} from "./state.js";

const trainingOptions = learningRuns.map((value) => ({ value, label: trainings[value].label }));
const masterWords = "bf16 + fp32 master";

/** Two models trained side by side, to see whether the one that loses updates learns at all. */
export function LearnView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(learnFields, visit.parameters));
  const classroom = useMemo(() => new Classroom(), []);
  const restart = (play: boolean) => void classroom.open(state.peek(), play);
  const training = trainings[state.value.run];
  const change = (part: Partial<LearnState>) => {
    state.value = { ...state.peek(), ...part };
    restart(true);
  };

  useEffect(() => {
    restart(true);
    const stop = effect(() => visit.note(writeState(learnFields, state.value)));
    return () => {
      stop();
      classroom.close();
    };
  }, []);

  const words = storageWords(state.value);
  const ink = chosenInk(state.value);
  const rewards = classroom.rewards.value;
  const frame = classroom.frame.value;
  const playing = classroom.playing.value;
  const step = frame?.step ?? 0;
  const [chosen, master] = frame?.learners ?? [];
  return (
    <section class="learn" aria-labelledby="learn-title">
      <h1 id="learn-title" class="finding">
        <Emphasis text={heading(words, step, rewards, classroom.outcome.value)} />
        {chosen && step > 0 && (
          <span class={`lens ${lensTone(chosen.counted)}`}>{lensSentence(words, chosen.counted)}</span>
        )}
      </h1>
      <Misread visit={visit} fields={learnFields} />
      <div class="desk">
        <div>
          <p class="curves-key">
            <i class={ink} /> {words} <i class="master" /> {masterWords}{" "}
            <small>share of a step's 128 answers that are right, mean of {smoothed} steps</small>
          </p>
          <RewardChart rewards={rewards} labels={[words, masterWords]} base={training.base} ink={ink} />
        </div>
        <div class="controls">
          <div class="transport">
            <button
              type="button"
              class="primary"
              disabled={frame === null || step === lastStep}
              onClick={() => (playing ? classroom.pause() : classroom.play())}
            >
              {playing ? "Pause" : "Play"}
            </button>
            <button type="button" onClick={() => restart(true)}>
              Restart
            </button>
            <output class="step" aria-label="Steps taken">
              {step}
            </output>
          </div>
          <Select
            label="Training"
            value={state.value.run}
            options={trainingOptions}
            onChange={(run) => change({ run: run as LearningRun, lr: usualRates[run as LearningRun] })}
          />
          <Slider
            label="Learning rate"
            values={learnRates}
            value={state.value.lr}
            text={(lr) => lr.toExponential()}
            onInput={(lr) => change({ lr })}
          />
          <div class="pair">
            <Select
              label="Format"
              value={state.value.format}
              options={formatOptions}
              onChange={(format) => change({ format })}
            />
            <Select
              label="Scheme"
              value={state.value.scheme}
              options={schemeOptions}
              onChange={(scheme) => change({ scheme: scheme as SchemeName })}
            />
            <Select
              label="Rounding"
              value={state.value.rounding}
              options={roundingOptions}
              onChange={(rounding) => change({ rounding: rounding as Rounding })}
            />
          </div>
          {chosen && <Counts of={chosen} words={words} name="chosen" />}
          {master && <Counts of={master} words={masterWords} name="master" />}
        </div>
      </div>
      {classroom.error.value && (
        <p class="problem" role="alert">
          {classroom.error.value}
        </p>
      )}
      <footer class="foot">
        <p class="engine">
          A decoder of 26,048 weights that adds two numbers, trained on this machine {training.about}; AdamW);
          each model reads what it stores.{" "}
          {classroom.rate.value > 0 && `${classroom.rate.value} steps a second.`}
          {classroom.between > 1 &&
            ` One frame every ${classroom.between} steps, because this system asks for reduced motion.`}
        </p>
      </footer>
    </section>
  );
}

/** The classes of the updates of one model. */
function Counts({ of: learner, words, name }: { of: Learner; words: string; name: string }) {
  const { totals, end, rounding } = learner.counted;
  const named = classWordsOf({ rounding });
  const part = (n: number) => percent(share(n, nonzeroUpdates(totals)));
  return (
    <div class="learner" data-learner={name}>
      <h2>{words}</h2>
      <ClassBar counts={totals} rounding={rounding} />
      <p>
        <span data-class="moved" data-count={totals.moved}>
          moved {part(totals.moved)}
        </span>
        , {totals.kept > 0 && <span data-class="kept">kept {part(totals.kept)}, </span>}
        <span data-class="lost">
          {named.lost} {part(totals.lost)}
        </span>{" "}
        of the {updatesCounted(totals.nonfinite)}; retained <b>{ratio(end.retained)}</b>
        {end.nonfinite > 0 && ` of the ${displacementCounted(end.nonfinite)}`}
      </p>
    </div>
  );
}
