import type { Schedule } from "../../update/simulated-adamw.js";

/** The default settings for a kind of training. */
export interface Preset {
  readonly name: string;
  /** Description and sources of the numbers; see docs/simulation.md. */
  readonly about: string;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  readonly schedule: Schedule;
  readonly warmup: number;
  readonly steps: number;
  /** The signal-to-noise ratio of gradients. */
  readonly snr: number;
}

const all: readonly Preset[] = [
  {
    name: "rlvr",
    about: "reinforcement learning with verifiable rewards, as verl trains",
    lr: 1e-6,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0.01,
    schedule: "constant",
    warmup: 0,
    steps: 300,
    snr: 0,
  },
  {
    name: "sft",
    about: "supervised fine-tuning, as in arXiv 2606.07082",
    lr: 1e-5,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay: 0.1,
    schedule: "cosine",
    warmup: 0,
    steps: 5375,
    snr: 0,
  },
  {
    name: "opd",
    about: "on-policy distillation, as in arXiv 2606.07082; its signal is inferred, not published",
    lr: 1e-6,
    betas: [0.9, 0.98],
    eps: 1e-8,
    weightDecay: 0.1,
    schedule: "constant",
    warmup: 0,
    steps: 299,
    snr: 0.25,
  },
  {
    name: "pretrain",
    about: "pretraining of a language model at its usual peak rate",
    lr: 3e-4,
    betas: [0.9, 0.95],
    eps: 1e-8,
    weightDecay: 0.1,
    schedule: "cosine",
    warmup: 20,
    steps: 1000,
    snr: 0,
  },
];

/** The presets by name. */
export const presets: ReadonlyMap<string, Preset> = new Map(all.map((preset) => [preset.name, preset]));
