import type { DuelSettings } from "../learn/duel.js";
import { presets, sigma } from "../tensor/presets.js";
import type { RunSettings, Storage } from "../tensor/run.js";

/** The scenes in order. */
export const sceneNames = [
  "apparent",
  "truth",
  "gap",
  "push",
  "lost",
  "kept",
  "block",
  "learn",
  "yours",
] as const;
export type SceneName = (typeof sceneNames)[number];

/** The runs of scenes; scenes with the same one share it. */
export type RunName = "view" | "pair" | "many";

export interface Scene {
  readonly title: string;
  /** A second sentence, smaller. */
  readonly text: string;
  readonly run: RunName | null;
  /** For the speaker's window: what to say, and likely questions. */
  readonly notes: readonly string[];
}

export const scenes: Readonly<Record<SceneName, Scene>> = {
  apparent: {
    title: "After RL, most bf16 weights look untouched.",
    text: "AdamW at 1e-6, 1000 steps. In published RL checkpoints 36 to 92% are unchanged (arXiv 2511.08567).",
    run: "view",
    notes: [
      "Left: what a checkpoint shows. The fp32 master moved everywhere; its bf16 view did not.",
      "Right: the same updates added to bf16 weights in-place. Almost nothing changes.",
      "Both look sparse. Only one of them lost something: next scene.",
    ],
  },
  truth: {
    title: "The updates were there all along.",
    text: "In fp32 the same updates changed nearly all weights. The magnifier is a signal planted in the gradients.",
    run: "pair",
    notes: [
      "Same gradients, same optimizer, same seed: only the storage differs.",
      "The magnifier is planted: a gradient is noise of size 1 plus a signal of 0.2. fp32 learned it, bf16 in-place did not.",
      "Colour: blue went up, gold went down, grey has the bits it had.",
    ],
  },
  gap: {
    title: "Between two bf16 numbers there is nothing.",
    text: "At 0.02 the next number is 0.00012 away. Everything inside a box is stored as the number in its middle.",
    run: null,
    notes: [
      "bf16 has 8 significand bits: the gap is 1/128 to 1/256 of the number.",
      "The update is 1e-6, a step of Adam at that learning rate. Drag w + u to the edge of the box to show what it takes.",
    ],
  },
  push: {
    title: "An update must exceed half the gap. This one is a sixtieth of that.",
    text: "A thousand equal updates of 1e-6. In-place, each one is rounded back to where it began.",
    run: null,
    notes: [
      "The bf16 view of the master moves after 62 updates, then every 122.",
      "In-place has no memory: the thousandth update meets the same weight as the first.",
    ],
  },
  lost: {
    title: "Lost is not zero.",
    text: "Every update by its size against the gap at its weight. What stays within half the gap on its side is rounded away. Lost and moved are shares of the updates that were not zero.",
    run: "pair",
    notes: [
      "A difference of two checkpoints calls all of this sparse. Next to none of these updates was zero.",
      "The line is half of ulp(w). At a power of two the gap toward zero is half as wide: such updates move left of the line.",
      "Rules of thumb such as |w|/256 misclassify about a tenth of the updates where half of them are lost.",
    ],
  },
  kept: {
    title: "What would have kept it.",
    text: "The same updates, stored in five ways. Of the fp32 displacement, retained: the share in weight plus carrier; visible: the share in the stored bits; noise: how far weight plus carrier are from it, relative to it.",
    run: "many",
    notes: [
      "Retained answers whether the run loses updates; visible is what the stored bits show of it.",
      "Stochastic rounding retains on average and pays in noise.",
      "fp32 master: verl, DeepSpeed, Megatron. In-place bf16: TRL where the model is loaded as bf16.",
    ],
  },
  block: {
    title: "One update, and its neighbours change.",
    text: "32 MXFP4 weights share a scale. The largest grew by 1%: the scale doubled, all were rounded anew.",
    run: null,
    notes: [
      "MX and NVFP4: a code of 4 bits for each weight, and one scale for 32 or 16 of them, which follows from the largest.",
      "Drag w + u below the dashed line, and all are back. None of the others had an update; a receiver of the codes sees them change.",
      'In 8 bits the elements have exponents of their own, and no other weight changes: the view "One block" has the formats.',
    ],
  },
  learn: {
    title: "What is lost is not learned.",
    text: "Two copies of a small model learn to add, by GRPO at 1e-5. They differ in how their weights are stored.",
    run: null,
    notes: [
      "Both are trained now, in this browser: 300 steps, the same prompts and seeds. Each model reads what it stores.",
      "In-place, nearly all updates are lost, and most of the gain with them. With an fp32 master the bits change in few of the steps too, but no update is lost, and the model learns.",
      'At 1e-4 in-place learns most of it; at 1e-6, where RL is done, nothing. The view "Does it learn?" has the sliders.',
    ],
  },
  yours: {
    title: "Is your run losing its updates?",
    text: "Ask it. Or drop two checkpoints on this page: nothing leaves the machine.",
    run: null,
    notes: ["The recorder writes what a run needs; diff needs two checkpoints only.", "Questions."],
  },
};

/** The last steps of runs, so that a slide always ends the same way. */
export const lastSteps: Readonly<Record<RunName, number>> = { view: 1000, pair: 300, many: 300 };

const training = { sigma, lr: presets.rlvr.lr, betas: presets.rlvr.betas, signal: 0.2, seed: 1 };

const inPlace: Storage = { format: "bf16", scheme: "in-place", rounding: "nearest-even" };
const master: Storage = { ...inPlace, scheme: "master" };

export const talkRuns: Readonly<Record<RunName, RunSettings>> = {
  // About three times as many steps, on a quarter of the weights.
  view: { ...training, signal: 0, side: 256, storages: [master, inPlace] },
  pair: { ...training, side: 512, storages: [inPlace] },
  // Five pictures side by side, so smaller ones.
  many: {
    ...training,
    side: 256,
    storages: [inPlace, master, { ...inPlace, scheme: "kahan" }, { ...inPlace, rounding: "stochastic" }],
  },
};

/** The training of the learning scene. */
export const talkLearning: DuelSettings = { ...inPlace, run: "rlvr", lr: 1e-5, seed: 0 };

/** The labels of the four storages and of the truth. */
export const manyLabels = ["in-place", "fp32 master", "Kahan", "stochastic", "fp32"] as const;
