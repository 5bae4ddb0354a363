import { effect, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { displacementCounted, weightsCounted } from "../../report/nonfinite.js";
import { count, percent, ratio, share, shareOfWeights } from "../../report/numbers.js";
import { ClassBar, ClassCounts } from "../controls/class-bar.js";
import { Emphasis } from "../controls/emphasis.js";
import { EngineBadge } from "../controls/engine-badge.js";
import { Misread } from "../controls/misread.js";
import { readState, writeState } from "../location.js";
import type { Visit } from "../place.js";
import { storageWords } from "../settings.js";
import { palette } from "../theme.js";
import { SizeHistogram } from "./histogram.js";
import { pictureInks } from "./inks.js";
import { Player } from "./player.js";
import { runSettings, type TensorState, tensorFields } from "./presets.js";
import { Recount } from "./recount.js";
import { finding } from "./sentences.js";
import { mostOnCpu, pictureSide } from "./sizes.js";
import { TensorControls } from "./tensor-controls.js";
import { WeightsPicture } from "./weights-picture.js";

/** Settings that only affect the display. */
const outward: ReadonlySet<string> = new Set(["span", "pace", "step"]);

/** A matrix in training, as stored and in fp32. */
export function TensorView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(tensorFields, visit.parameters));
  const player = useMemo(
    () =>
      new Player(
        () => pictureInks(palette.peek()),
        () => state.peek().span,
      ),
    [state],
  );

  const sizeRefused = useSignal<string | null>(null);

  const restart = async (goTo: number): Promise<void> => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const hasNoGpu = await player.open(runSettings(state.peek()), { play: goTo === 0 && !still, goTo });
    const { side } = state.peek();
    if (!hasNoGpu) return;
    // navigator.gpu does not tell whether a device opens; a search for one beforehand would write to the console.
    sizeRefused.value = `This browser opened no GPU: ${count(side ** 2)} weights need one.`;
    state.value = { ...state.peek(), side: mostOnCpu };
    await restart(goTo);
  };
  const change = (part: Partial<TensorState>) => {
    state.value = { ...state.peek(), ...part };
    player.pace = state.value.pace;
    if (part.side !== undefined) sizeRefused.value = null;
    if (Object.keys(part).every((name) => outward.has(name))) return player.repaint();
    state.value = { ...state.peek(), step: 0 };
    void restart(0);
  };

  useEffect(() => {
    player.pace = state.peek().pace;
    void restart(state.peek().step);
    const stop = [
      // A link stores the step at which the run was paused.
      effect(() => {
        const step = player.playing.value ? 0 : (player.frame.value?.step ?? state.peek().step);
        visit.note(writeState(tensorFields, { ...state.value, step }));
      }),
      effect(() => {
        if (palette.value) player.repaint();
      }),
    ];
    return () => {
      for (const end of stop) end();
      player.close();
    };
  }, []);

  const words = useComputed(() => storageWords(state.value));
  const frame = player.frame.value;
  const [stored, truth] = frame?.cases ?? [];
  const nonfinite = stored?.run.end.nonfinite ?? 0;
  const ofWeights = nonfinite === 0 ? "" : `of the ${weightsCounted(nonfinite)} `;
  const said = frame && stored && truth ? finding(frame.step, stored.run, truth.run) : null;
  const { span, side } = state.value;
  // A picture is of the frame that is there, which the next size replaces when its run begins.
  const pixels = pictureSide(frame?.side ?? side);

  return (
    <section class="tensor" aria-labelledby="tensor-title">
      <h1 id="tensor-title" class="finding">
        <span>
          <Emphasis text={said?.apparent ?? `A matrix of ${count(side ** 2)} weights, in training.`} />
        </span>{" "}
        <span class={`lens ${said?.tone ?? ""}`}>{said?.lens}</span>
      </h1>
      <p class="simulated">
        Gate III of <a href="https://arxiv.org/abs/2511.08567">arXiv 2511.08567</a>: precision acts as a lens.
        The run is simulated: AdamW on noise gradients at the preset's settings
        {state.value.signal > 0 && ", with a planted signal, the magnifier"}.
      </p>
      <Misread visit={visit} fields={tensorFields} />
      <div class="stage">
        <WeightsPicture
          pixels={stored?.pixels ?? null}
          side={pixels}
          description={`The weights in ${words.value}: those whose stored bits changed are lit`}
        >
          <b>{words.value}</b>
          <span>what is stored</span>
        </WeightsPicture>
        <WeightsPicture
          pixels={truth?.pixels ?? null}
          side={pixels}
          description="The same weights in fp32: those that the updates changed are lit"
        >
          <b>fp32</b>
          <span>the same updates, kept</span>
        </WeightsPicture>
        <p class="key">
          <i class="larger" /> larger <i class="smaller" /> smaller <i class="same" /> same bits as{" "}
          {span === "start" ? "at the start" : "a step before"}
          {pixels < side && <span>; a pixel is the mean of {(side / pixels) ** 2} weights</span>}
        </p>
        <TensorControls
          state={state.value}
          player={player}
          change={change}
          restart={() => void restart(0)}
          sizeRefused={sizeRefused.value}
        />
      </div>
      {player.error.value && (
        <p class="problem" role="alert">
          {player.error.value}
        </p>
      )}
      {frame && stored && truth && (
        <div class="columns">
          <div class="panel">
            <h2>
              What became of {count(frame.step * frame.side ** 2)} updates{" "}
              <small>stored as {words.value}</small>
            </h2>
            <ClassBar counts={stored.run.totals} rounding={stored.run.rounding} />
            <ClassCounts of={stored.run} label={`Updates so far, ${words.value}`} />
            <dl class="facts">
              <Fact
                name={`${ofWeights}unchanged so far`}
                id="unchanged"
                value={stored.run.end.unchanged}
                text={percent(shareOfWeights(stored.run, stored.run.end.unchanged))}
              />
              <Fact
                name="of these hidden: fp32 moved"
                id="hidden"
                value={stored.run.end.hidden}
                text={percent(share(stored.run.end.hidden, stored.run.end.unchanged))}
              />
              <Fact
                name={`of the ${displacementCounted(nonfinite)} retained`}
                id="retained"
                value={stored.run.end.retained ?? 0}
                text={ratio(stored.run.end.retained)}
              />
              <Fact
                name="of it visible in the stored bits"
                id="visible"
                value={stored.run.end.visible ?? 0}
                text={ratio(stored.run.end.visible)}
              />
              <Fact
                name="moved in the last step"
                id="moved-now"
                value={stored.step.totals.moved}
                text={percent(share(stored.step.totals.moved, frame.side ** 2))}
              />
            </dl>
          </div>
          <div class="panel">
            <h2>
              Why: updates against the gap <small>between neighbouring numbers of {state.value.format}</small>
            </h2>
            <SizeHistogram of={stored.run} />
          </div>
        </div>
      )}
      <footer class="foot">
        {(player.engine.value || !player.error.value) && <EngineBadge engine={player.engine.value} />}
        <Recount player={player} />
      </footer>
    </section>
  );
}

function Fact({ name, id, value, text }: { name: string; id: string; value: number; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-fact={id} data-count={value}>
        {text}
      </dd>
    </div>
  );
}
