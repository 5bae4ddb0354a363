import { type Command, InvalidArgumentError, Option } from "commander";
import { plural } from "../format/plural.js";
import { models } from "../source/synthetic/models.js";
import { presets } from "../source/synthetic/presets.js";
import type { SyntheticSettings } from "../source/synthetic/synthetic-run.js";
import { type Distribution, gaussian, student4 } from "../update/distribution.js";
import { type Schedule, schedules } from "../update/simulated-adamw.js";
import { longestMomentum } from "../update/steady-state.js";
import { finiteNumber, formatName, wholeNumber } from "./common-options.js";
import { twoNumbers } from "./options.js";
import { oneOf } from "./strict-options.js";

/** Options of a synthetic run; omitted ones come from the preset or are defaults. */
export interface SyntheticOptions {
  readonly preset?: string;
  readonly steps?: number;
  readonly model?: string;
  readonly weights?: string;
  /** The number of elements, or rows and columns of the one tensor. */
  readonly elements?: number | readonly [rows: number, columns: number];
  readonly sigma?: number;
  readonly baseFormat: string;
  readonly qkShape?: number;
  readonly lr?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
  readonly schedule?: Schedule;
  readonly warmup?: number;
  /** The signal-to-noise ratio. */
  readonly gradient?: number;
  readonly noise: Distribution;
  readonly gradientNorm: number;
  readonly clip: number;
  readonly scaleSpread: number;
  readonly source: "adamw" | "steady-state";
  readonly seed: number;
}

/** How a command uses these options. */
export interface SyntheticUse {
  /** The defaults of steps and elements, in words. */
  readonly steps?: string;
  readonly elements?: string;
  /** For a sweep: the option for learning rates, which replaces the one for a single rate. */
  readonly rates?: Option;
  /** Whether updates may come from other sources than gradients. */
  readonly sources?: boolean;
}

const noises: ReadonlyMap<string, Distribution> = new Map(
  [gaussian, student4].map((distribution) => [distribution.name, distribution]),
);

/** The attribute names of the options that only apply to synthetic runs. */
const ofSynthetic: ReadonlySet<string> = new Set<keyof SyntheticOptions>([
  ...(["preset", "steps", "model", "weights", "elements", "sigma", "baseFormat", "qkShape"] as const),
  ...(["lr", "betas", "eps", "weightDecay", "schedule", "warmup"] as const),
  ...(["gradient", "noise", "gradientNorm", "clip", "scaleSpread", "source"] as const),
]);

/** @throws CommanderError if an option of synthetic runs other than `but` is given with a recorded run. */
export function refuseSynthetic(command: Command, but: readonly (keyof SyntheticOptions)[] = []): void {
  const stray = command.options.find((option) => {
    const name = option.attributeName();
    const given = command.getOptionValueSource(name) === "cli";
    return given && ofSynthetic.has(name) && !but.some((other) => other === name);
  });
  if (stray) command.error(`error: ${stray.long} is for a synthetic run, not for FOLDER`);
}

export function addSyntheticOptions(
  command: Command,
  {
    steps = "the preset's; without one, those of rlvr",
    elements = "2^20",
    rates,
    sources = true,
  }: SyntheticUse = {},
): Command {
  command
    .addOption(
      new Option("--preset <name>", "kind of training that sets the defaults of other options").choices([
        ...presets.keys(),
      ]),
    )
    .option("--steps <n>", `number of optimizer steps (default: ${steps})`, stepCount)
    .addOption(
      new Option(
        "--model <name>",
        "published model whose shapes the tensors have (default: one tensor)",
      ).choices([...models.keys()]),
    )
    .option("--weights <path>", "checkpoint whose weights are taken instead of drawn ones")
    .option(
      "--elements <n>",
      `number of weights, or rows and columns such as 256x1024 (default: ${elements}); of a model, size of a stratified sample (default: all)`,
      elementCount,
    )
    .option("--sigma <x>", "standard deviation of the weights (default: the model's, or 0.028)", positive)
    .option("--base-format <name>", "format of the weights before the run", formatName, "bf16")
    .option(
      "--qk-shape <k>",
      "shape of the Weibull distribution of query and key matrices, such as 1.13 (default: they are Gaussian)",
      between(0.2, 100),
    )
    .addOption(
      rates ??
        new Option("--lr <x>", "peak learning rate (default: the preset's, or 1e-6)").argParser(positive),
    )
    .option("--betas <a,b>", "decay rates of the moments (default: the preset's, or 0.9,0.999)", twoNumbers)
    .option("--eps <x>", "term added to the denominator (default: 1e-8)", notNegative)
    .option("--weight-decay <x>", "weight decay (default: the preset's, or 0)", notNegative)
    .addOption(
      new Option(
        "--schedule <name>",
        "schedule of the learning rate; default: the preset's, or constant",
      ).choices(schedules),
    )
    .option("--warmup <n>", "number of steps of a linear warm-up (default: the preset's, or 0)", wholeNumber)
    .option(
      "--gradient <model>",
      "gradients of noise alone, or with a signal: noise, signal:SNR such as signal:0.1 (default: the preset's, or noise)",
      gradientModel,
    )
    .addOption(
      new Option("--noise <name>", `distribution of the gradients' noise: ${[...noises.keys()].join(", ")}`)
        .argParser(noiseNamed)
        .default(gaussian, gaussian.name),
    )
    .option("--gradient-norm <x>", "norm of the gradient of the whole model before clipping", positive, 1)
    .option("--clip <x>", "maximum gradient norm after clipping", positive, 1)
    .option(
      "--scale-spread <x>",
      "standard deviation of the logarithm of the tensors' gradient scales",
      between(0, 10),
      0,
    );
  const source = new Option(
    "--source <name>",
    "updates of AdamW on drawn gradients, or steady-state: independent draws of lr m / sqrt(v)",
  )
    .choices(["adamw", "steady-state"])
    .default("adamw");
  if (sources) command.addOption(source);
  return command.option("--seed <n>", "seed of everything that is drawn", wholeNumber, 0);
}

/**
 * The settings from options and preset.
 *
 * @throws CommanderError for options that exclude each other.
 */
export function syntheticSettings(command: Command, options: SyntheticOptions): SyntheticSettings {
  const preset = options.preset === undefined ? null : presets.get(options.preset)!;
  const steps = options.steps ?? preset?.steps;
  if (steps === undefined) command.error("error: expected --steps, or a --preset that has them");
  if (options.model !== undefined && options.weights !== undefined) {
    command.error("error: --weights brings its own shapes: it does not go with --model");
  }
  if (options.weights !== undefined && (options.sigma !== undefined || options.qkShape !== undefined)) {
    command.error("error: --sigma and --qk-shape are for weights that are drawn, not for --weights");
  }
  const { source } = options;
  const [b1, b2] = options.betas ?? preset?.betas ?? [0.9, 0.999];
  if (!(b1 >= 0 && b1 < 1 && b2 >= 0 && b2 < 1)) command.error("error: expected betas from 0 to less than 1");
  const snr = options.gradient ?? (source === "adamw" ? preset?.snr : 0) ?? 0;
  const schedule = options.schedule ?? (source === "adamw" ? preset?.schedule : "constant") ?? "constant";
  const warmup = options.warmup ?? (source === "adamw" ? preset?.warmup : 0) ?? 0;
  const weightDecay = options.weightDecay ?? (source === "adamw" ? preset?.weightDecay : 0) ?? 0;
  if (
    source === "steady-state" &&
    (snr !== 0 || schedule !== "constant" || warmup > 0 || weightDecay !== 0)
  ) {
    command.error(
      "error: --source steady-state draws each step by itself: no signal, schedule, warm-up or weight decay",
    );
  }
  if (source === "steady-state" && b1 > longestMomentum) {
    command.error(`error: --source steady-state takes a first beta of at most ${longestMomentum}`);
  }
  if (warmup >= steps!) command.error(`error: a warm-up of ${plural(warmup, "step")} in a run of ${steps}`);
  const model = options.model === undefined ? null : models.get(options.model)!;
  const shape = typeof options.elements === "object" ? options.elements : null;
  if (shape !== null && (model !== null || options.weights !== undefined)) {
    command.error(
      "error: --elements takes rows and columns of one drawn tensor, not of --model or --weights",
    );
  }
  const elements = shape ? shape[0] * shape[1] : (options.elements as number | undefined);
  return {
    preset: preset?.name ?? null,
    model,
    elements: elements ?? (model || options.weights !== undefined ? null : 2 ** 20),
    ...(shape && { shape }),
    sigma: options.sigma ?? null,
    weightFormat: options.baseFormat,
    queryKeyShape: options.qkShape ?? null,
    run: {
      optimizer: {
        lr: options.lr ?? preset?.lr ?? 1e-6,
        betas: [b1, b2],
        eps: options.eps ?? preset?.eps ?? 1e-8,
        weightDecay,
      },
      schedule,
      warmup,
      steps: steps!,
      noise: options.noise,
      snr,
      seed: options.seed,
    },
    source,
    gradientNorm: options.gradientNorm,
    clip: options.clip,
    scaleSpread: options.scaleSpread,
  };
}

function gradientModel(text: string): number {
  if (text === "noise") return 0;
  const [kind, ratio] = text.split(":");
  if (kind !== "signal" || ratio === undefined) {
    throw new InvalidArgumentError("expected noise, or signal:SNR such as signal:0.1");
  }
  return positive(ratio);
}

function noiseNamed(name: string): Distribution {
  return noises.get(oneOf("noise", name, [...noises.keys()]))!;
}

function positive(text: string): number {
  const x = finiteNumber(text);
  if (x <= 0) throw new InvalidArgumentError("expected a number above zero");
  return x;
}

function notNegative(text: string): number {
  const x = finiteNumber(text);
  if (x < 0) throw new InvalidArgumentError("expected a number not below zero");
  return x;
}

/** The range in which the exponential function of the draws is valid. */
function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const x = finiteNumber(text);
    if (x < least || x > most) throw new InvalidArgumentError(`expected a number from ${least} to ${most}`);
    return x;
  };
}

function elementCount(text: string): number | readonly [rows: number, columns: number] {
  const parts = text.split("x");
  if (parts.length === 1) return positiveWhole(text);
  if (parts.length !== 2)
    throw new InvalidArgumentError("expected a number, or rows and columns such as 256x1024");
  const [rows, columns] = parts.map(positiveWhole);
  if (!Number.isSafeInteger(rows * columns))
    throw new InvalidArgumentError("expected less than 2^53 weights");
  return [rows, columns];
}

function positiveWhole(text: string): number {
  const n = wholeNumber(text);
  if (n === 0) throw new InvalidArgumentError("expected at least 1");
  return n;
}

/** Limited because the counts of each step stay in memory: 1.2 GB for 100,000 steps (measured, three cases). */
function stepCount(text: string): number {
  const n = positiveWhole(text);
  if (n > 100_000) throw new InvalidArgumentError("expected at most 100,000");
  return n;
}
