import type { RunSettings, Storage } from "../tensor/lens-run.js";
import { presets, sigma } from "../tensor/presets.js";

/** The story in the order in which it is told. */
export const sceneNames = ["apparent", "truth", "gap", "push", "lost", "kept", "yours"] as const;
export type SceneName = (typeof sceneNames)[number];

export interface Scene {
  readonly title: string;
  /** A second sentence, smaller. */
  readonly text: string;
  /** The run that goes on behind it; scenes with the same one share it. */
  readonly run: "pair" | "many" | null;
}

export const scenes: Readonly<Record<SceneName, Scene>> = {
  apparent: {
    title: "After reinforcement learning, almost every weight looks untouched.",
    text: "A bf16 matrix in training, AdamW at 1e-6. A weight lights up when a bit of it has changed.",
    run: "pair",
  },
  truth: {
    title: "The updates were there all along.",
    text: "The same updates, kept in fp32, moved every weight. They had something to say.",
    run: "pair",
  },
  gap: {
    title: "Between two bf16 numbers there is nothing.",
    text: "Around 0.02 the next number is 0.00012 away. All that lies in a box is stored as the number in its middle.",
    run: null,
  },
  push: {
    title: "An update must reach half the gap. This one is a sixtieth of that.",
    text: "A thousand equal pushes: in place, each one is rounded back to where it began.",
    run: null,
  },
  lost: {
    title: "Lost is not zero.",
    text: "Every update by its size against the gap at its weight. What does not reach half the gap is rounded away.",
    run: "pair",
  },
  kept: {
    title: "What would have kept it.",
    text: "The same updates, stored in five ways.",
    run: "many",
  },
  yours: {
    title: "Is your run losing its updates?",
    text: "Ask it. Or drop two files on this page: nothing leaves the machine.",
    run: null,
  },
};

/** Where the live scenes stop, so that a slide ends the same each time. */
export const lastStep = 300;

const training = { sigma, lr: presets.rlvr.lr, betas: presets.rlvr.betas, signal: 0.2, seed: 1 };

const inPlace: Storage = { format: "bf16", scheme: "in-place", rounding: "nearest-even" };

export const talkRuns: Readonly<Record<"pair" | "many", RunSettings>> = {
  pair: { ...training, side: 512, storages: [inPlace] },
  // Five pictures side by side: smaller ones.
  many: {
    ...training,
    side: 256,
    storages: [
      inPlace,
      { ...inPlace, scheme: "master" },
      { ...inPlace, scheme: "kahan" },
      { ...inPlace, rounding: "stochastic" },
    ],
  },
};

/** What the four storages and the truth are called, large. */
export const manyLabels = ["in place", "fp32 master", "Kahan", "stochastic", "fp32"] as const;
