import type { Rounding } from "../../format/round.js";
import { count } from "../../report/numbers.js";
import type { SchemeName } from "../../update/scheme.js";
import { Segments, Select, Slider } from "../controls/fields.js";
import { formatOptions, roundingOptions, schemeOptions } from "../settings.js";
import type { Span } from "./paint.js";
import type { Player } from "./player.js";
import { type PresetName, paces, presetNames, presets, rates, signals, type TensorState } from "./presets.js";
import { mostOnCpu, sides } from "./sizes.js";

const presetOptions = presetNames.map((value) => ({ value, label: presets[value].label }));
function sizeText(side: number): string {
  return side > mostOnCpu ? `${count(side ** 2)}, GPU` : count(side ** 2);
}
/** Searches for a GPU only if one is needed: a browser without one writes errors to its console. */
const hasWebGpu = "gpu" in navigator;
const sideOptions = sides.map((side) => ({ value: `${side}`, label: sizeText(side) }));
const spanOptions = [
  { value: "start", label: "since start" },
  { value: "step", label: "in last step" },
];

export function TensorControls(props: {
  state: TensorState;
  player: Player;
  change(part: Partial<TensorState>): void;
  restart(): void;
  /** Why the chosen number of weights was not taken. */
  sizeRefused: string | null;
}) {
  const { state, player, change } = props;
  const playing = player.playing.value;
  const fastest = paces.at(-1)!;
  return (
    <div class="controls">
      <div class="transport">
        <button type="button" class="primary" onClick={() => (playing ? player.pause() : player.play())}>
          {playing ? "Pause" : "Play"}
        </button>
        <button type="button" onClick={() => void player.step(1)}>
          Step
        </button>
        <button type="button" onClick={props.restart}>
          Restart
        </button>
        <output class="step" aria-label="Steps taken">
          {player.frame.value?.step ?? 0}
        </output>
      </div>
      <Segments
        label="Preset"
        value={state.preset}
        options={presetOptions}
        onChange={(name) => change({ preset: name as PresetName, lr: presets[name as PresetName].lr })}
      />
      <Slider
        label="Learning rate"
        values={rates}
        value={state.lr}
        text={(lr) => lr.toExponential()}
        onInput={(lr) => change({ lr })}
      />
      <div class="pair">
        <Select
          label="Format"
          value={state.format}
          options={formatOptions}
          onChange={(format) => change({ format })}
        />
        <Select
          label="Scheme"
          value={state.scheme}
          options={schemeOptions}
          onChange={(scheme) => change({ scheme: scheme as SchemeName })}
        />
        <Select
          label="Rounding"
          value={state.rounding}
          options={roundingOptions}
          onChange={(rounding) => change({ rounding: rounding as Rounding })}
        />
        <Select
          label="Highlight changes"
          value={state.span}
          options={spanOptions}
          onChange={(span) => change({ span: span as Span })}
        />
        {hasWebGpu && (
          <Select
            label="Weights"
            value={`${state.side}`}
            options={sideOptions}
            onChange={(side) => change({ side: Number(side) })}
          />
        )}
        <Slider
          label="Signal in the noise"
          values={signals}
          value={state.signal}
          text={(x) => (x === 0 ? "none" : `${x}`)}
          onInput={(signal) => change({ signal })}
        />
        <Slider
          label="Steps a second"
          values={paces}
          value={state.pace}
          text={(pace) => (pace === fastest ? `max (${player.rate.value})` : `${pace}`)}
          onInput={(pace) => change({ pace })}
        />
      </div>
      {props.sizeRefused && (
        <p class="field-problem" role="alert">
          {props.sizeRefused}
        </p>
      )}
    </div>
  );
}
