import { type Rounding, roundings } from "../../format/round.js";
import { type SchemeName, schemeNames } from "../../update/scheme.js";
import { choiceField, type Fields, numberField, oneOfField, wholeField } from "../location.js";
import { formatNames } from "../settings.js";
import { type Span, spans } from "./paint.js";
import type { RunSettings } from "./run.js";
import { sides } from "./sizes.js";

/** Typical settings of training: learning rate and AdamW's betas. */
export interface Preset {
  readonly label: string;
  readonly lr: number;
  readonly betas: readonly [number, number];
}

export type PresetName = "rlvr" | "sft" | "opd" | "pretrain";

/** Sources: docs/architecture.md, "The interactive page". */
export const presets: Readonly<Record<PresetName, Preset>> = {
  rlvr: { label: "RLVR", lr: 1e-6, betas: [0.9, 0.999] },
  opd: { label: "OPD", lr: 1e-6, betas: [0.9, 0.98] },
  sft: { label: "SFT", lr: 1e-5, betas: [0.9, 0.95] },
  pretrain: { label: "Pretraining", lr: 3e-4, betas: [0.9, 0.95] },
};
export const presetNames = Object.keys(presets) as readonly PresetName[];

/** The learning rates of the slider: 1, 2, 3, 5, 7 times each power of ten. */
export const rates: readonly number[] = [-8, -7, -6, -5, -4, -3].flatMap((power) =>
  [1, 2, 3, 5, 7].map((digit) => Number(`${digit}e${power}`)),
);
export const signals = [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1] as const;
/** Steps per second; the last is full speed. */
export const paces = [1, 2, 5, 10, 20, 30, 60, 1000] as const;

/** The state of the tensor view in the address. */
export interface TensorState {
  readonly preset: PresetName;
  readonly side: number;
  readonly lr: number;
  readonly format: string;
  readonly scheme: SchemeName;
  readonly rounding: Rounding;
  readonly signal: number;
  readonly seed: number;
  readonly span: Span;
  readonly pace: number;
  /** The step at which to pause; 0: play from the start. */
  readonly step: number;
}

export const tensorFields: Fields<TensorState> = {
  preset: choiceField(presetNames, "rlvr"),
  side: oneOfField(sides, 512),
  lr: numberField(presets.rlvr.lr, 1e-12, 1),
  format: choiceField(formatNames, "bf16"),
  scheme: choiceField(schemeNames, "in-place"),
  rounding: choiceField(roundings, "nearest-even"),
  signal: numberField(0.2, 0, 10),
  seed: wholeField(1, 0, 2 ** 32 - 1),
  span: choiceField(spans, "start"),
  pace: numberField(30, 0.1, 1000),
  step: wholeField(0, 0, 100_000),
};

/** From PULSE's median |w| of .019 for models of 1 to 8 billion weights. */
export const sigma = 0.028;

export function runSettings(state: TensorState): RunSettings {
  const { preset, side, lr, format, scheme, rounding, signal, seed } = state;
  return {
    side,
    sigma,
    lr,
    betas: presets[preset].betas,
    signal,
    seed,
    storages: [{ format, scheme, rounding }],
  };
}
