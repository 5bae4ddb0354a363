import { type Measured, type Simulated, simulated } from "./simulation.js";

/** A published figure and the result of a precision-only simulation. */
export interface PublishedFigure {
  /** Paper or project, and what was measured. */
  readonly source: string;
  readonly measured: string;
  readonly published: string;
  /** Ours: one number, or the ends of a range. */
  readonly ours: readonly Measured[];
  /** The simulation, as command-line options. */
  readonly simulation: string;
  readonly meaning: string;
}

const sample = 2 ** 19;
const master = [{ format: "bf16", scheme: "master" }] as const;

/** Weights unchanged after whole runs. */
export async function unchangedFigures(): Promise<PublishedFigure[]> {
  const qwen8 = await simulated({
    ...{ of: "qwen3-8b", elements: sample, steps: 1280, lr: 1e-6, cases: master },
    milestones: [600, 1280],
  });
  const qwen4 = await simulated({
    ...{ of: "qwen3-4b", elements: sample, steps: 1280, lr: 1e-6, cases: master },
    milestones: [600, 1280],
  });
  const qwen15 = await simulated({
    ...{ of: "qwen2.5-1.5b", elements: sample, steps: 1280, lr: 1e-6, cases: master },
    milestones: [600, 1280],
  });
  const range = (run: Simulated) => [run.unchanged(0, 600), run.unchanged(0, 1280)];
  const pathNotTaken = "The Path Not Taken (arXiv 2511.08567)";
  const command = (model: string) => `${model}, lr 1e-6, .9/.999, 600 to 1280 steps, noise`;
  return [
    {
      source: pathNotTaken,
      measured: "GT-Qwen3-8B; Qwen3-8B DAPO: % unchanged",
      published: "79.9; 79.7",
      ours: range(qwen8),
      simulation: command("qwen3-8b"),
      meaning:
        "Noise alone leaves as many weights in place as was measured: nothing else is needed to explain it.",
    },
    {
      source: pathNotTaken,
      measured: "Polaris-4B: % unchanged",
      published: "79.3",
      ours: range(qwen4),
      simulation: command("qwen3-4b"),
      meaning: "The same.",
    },
    {
      source: pathNotTaken,
      measured: "DeepScaleR-1.5B GRPO; DeepCoder-1.5B; Archer-Code-1.5B: % unchanged",
      published: "53.8; 45.5; 52.5",
      ours: range(qwen15),
      simulation: command("qwen2.5-1.5b"),
      meaning:
        "It does not match: those runs moved farther than noise does at this rate in this time. They were longer, or their " +
        "gradients had more of a direction, or their weights are smaller than the sigma taken here. Two checkpoints " +
        "cannot tell which.",
    },
  ];
}

/** The three kinds of training of arXiv 2606.07082 on Qwen3-8B. */
export async function trainingFigures(): Promise<PublishedFigure[]> {
  const source = "On-Policy Distillation geometry (arXiv 2606.07082), Qwen3-8B";
  const common = { of: "qwen3-8b", elements: sample / 2, weightDecay: 0.1, cases: master } as const;
  const rlvr = await simulated({ ...common, steps: 1023, lr: 1e-6, betas: [0.9, 0.98], eps: 1e-15 });
  const rlvrWider = await simulated({
    ...{ ...common, steps: 1023, lr: 1e-6, betas: [0.9, 0.98], eps: 1e-15, sigma: 0.032 },
  });
  const opdNoise = await simulated({ ...common, steps: 299, lr: 1e-6, betas: [0.9, 0.98] });
  const opd = await simulated({ ...common, steps: 299, lr: 1e-6, betas: [0.9, 0.98], snr: 0.25 });
  const sft = await simulated({ ...common, steps: 5375, lr: 1e-5, betas: [0.9, 0.95], schedule: "cosine" });
  return [
    {
      source,
      measured: "RLVR, 1023 updates: % unchanged",
      published: "77.2",
      ours: [rlvr.unchanged(0)],
      simulation: "lr 1e-6, .9/.98, weight decay .1, noise",
      meaning:
        "Noise alone comes close, and moves a little more than the run did, on weights whose sigma of .028 comes from " +
        "another paper.",
    },
    {
      source,
      measured: "RLVR, 1023 updates: % unchanged",
      published: "77.2",
      ours: [rlvrWider.unchanged(0)],
      simulation: "the same, sigma .032",
      meaning: "How little the sigma has to differ to account for the rest.",
    },
    {
      source,
      measured: "OPD, 299 updates: % unchanged",
      published: "51.6",
      ours: [opdNoise.unchanged(0)],
      simulation: "lr 1e-6, .9/.98, weight decay .1, noise",
      meaning:
        "It does not match: in 299 steps noise changes less than a third as many weights as changed. A teacher's " +
        "gradients have a direction that stays.",
    },
    {
      source,
      measured: "OPD, 299 updates: % unchanged",
      published: "51.6",
      ours: [opd.unchanged(0)],
      simulation: "the same, signal:0.25",
      meaning:
        "How much of a direction that takes. The ratio is inferred from this very figure, so the agreement is no evidence; " +
        "it is the preset's.",
    },
    {
      source,
      measured: "SFT, 5375 updates: % unchanged",
      published: "8.1",
      ours: [sft.unchanged(0)],
      simulation: "lr 1e-5 cosine, .9/.95, weight decay .1, noise",
      meaning: "At this rate noise alone leaves few weights where they were; some signal would leave fewer.",
    },
  ];
}

/** The share that changes in one step. */
export async function stepFigures(): Promise<PublishedFigure[]> {
  const common = { of: "qwen3-8b", elements: sample, cases: master } as const;
  const slow = await simulated({ ...common, steps: 300, lr: 1e-6 });
  const fast = await simulated({ ...common, steps: 400, lr: 3e-6 });
  const equal = (measured: Measured): Measured => ({
    value: 1 - measured.value,
    standardError: measured.standardError,
  });
  return [
    {
      source: "NeMo-DCR",
      measured: "changed per step, lr 1e-6, first 5 steps, six models, %",
      published: "0.6 to 1.2",
      ours: [slow.changedPerStep(0, 1, 5)],
      simulation: "qwen3-8b, lr 1e-6, .9/.999, noise",
      meaning: "Inside: the first steps of Adam are larger than the later ones, whatever the gradients.",
    },
    {
      source: "PULSE (arXiv 2602.03839)",
      measured: "equal per step over 400 steps, lr 3e-6, %",
      published: "about 99, sd .2 to .4",
      ours: [equal(fast.changedPerStep(0, 1, 400))],
      simulation: "qwen3-8b, lr 3e-6, .9/.999, noise",
      meaning:
        "Fewer are equal here: through these betas noise changes nearly twice as many. Their updates were smaller (a " +
        "warm-up, other betas), or their weights larger.",
    },
    {
      source: "Fireworks; AReaL",
      measured: "changed per step, %",
      published: "1.98; 1.5 to 2",
      ours: [fast.changedPerStep(0, 101, 400)],
      simulation: "qwen3-8b, lr 3e-6, .9/.999, noise",
      meaning: "The rates of those runs are not told with the figures; 3e-6 would give what they saw.",
    },
  ];
}

/** The effect of a tolerance, and of fp32. */
export async function toleranceFigures(): Promise<PublishedFigure[]> {
  const common = { elements: sample, steps: 600, lr: 1e-6 } as const;
  const small = await simulated({ ...common, of: "llama-3.1-8b", cases: master });
  const large = await simulated({ ...common, of: "qwen3-8b", cases: [...master, { format: "fp32" }] });
  const source = "Small subnetworks (arXiv 2505.11711), Table 6";
  return [
    {
      source,
      measured: "Tulu-8B DPO: % equal, tolerance 1e-8, then 1e-5",
      published: "76.0, then 81.4",
      ours: [small.unchanged(0), small.withinTolerance(0)],
      simulation: "llama-3.1-8b (sigma .011), lr 1e-6, .9/.999, 600 steps, noise",
      meaning:
        "The level is that of another run, whose rate and length are not known here; the rise is of the same kind: weights " +
        "below .002, whose bf16 gap is less than 1e-5, may change and count as equal.",
    },
    {
      source,
      measured: "deepseek-math: % equal, tolerance 1e-8, then 1e-5",
      published: "68.1, then 68.5",
      ours: [large.unchanged(0), large.withinTolerance(0)],
      simulation: "qwen3-8b (sigma .028), the same",
      meaning: "With larger weights fewer lie below: the same tolerance moves the headline by less.",
    },
    {
      source: "RL's Razor (arXiv 2509.04259), section 6",
      measured: "fp32 training: sparsity",
      published: "none",
      ours: [large.unchanged(1)],
      simulation: "qwen3-8b in fp32, the same: % unchanged",
      meaning: "The same updates, stored in fp32, leave next to nothing unchanged: bf16 made the sparsity.",
    },
  ];
}
