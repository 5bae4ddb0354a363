import { Command, InvalidArgumentError, Option } from "commander";
import { piecesOf } from "../engine/plan-tensor.js";
import type { DescribedJob } from "../engine/run-lens.js";
import { scaledValues } from "../lens/input.js";
import type { TensorCounts } from "../lens/run/case.js";
import { type SweepCell, type SweepResult, sweepAnswers, sweepCells } from "../lens/study/sweep.js";
import { openRecording, recordedRun } from "../source/recording.js";
import { version } from "../version.js";
import { addOutputOptions, finiteNumber, type OutputOptions, threadsOption } from "./common-options.js";
import { castsOf, countJobs } from "./count-job.js";
import { checkOutput, emitBy, outputFiles, sweepRenderers } from "./emit.js";
import { openSynthetic } from "./open-synthetic.js";
import { addCaseOptions, type CaseOptions, caseGrid, engineOption } from "./options.js";
import { shardOfJob, type WorkOf } from "./shard-job.js";
import { type ShardRequest, shardOption, shardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";
import { ListOption } from "./strict-options.js";
import {
  addSyntheticOptions,
  refuseSynthetic,
  type SyntheticOptions,
  syntheticSettings,
} from "./synthetic-options.js";
import { expectApart } from "./write-output.js";

interface SweepOptions extends Omit<SyntheticOptions, "lr">, Omit<CaseOptions, "seed">, OutputOptions {
  readonly lr: readonly number[];
  readonly scale?: readonly number[];
  readonly learns: number;
  readonly keeps: number;
  readonly engine: string;
  readonly threads?: number;
  readonly shard?: unknown;
}

/** The default steps of a synthetic run without a preset. */
const defaultSteps = 20;

const defaultRates = "1e-7:1e-4:7";

/** A sweep: one job per rate. */
interface Sweep {
  readonly rates: readonly number[];
  readonly files: readonly string[];
  /** For a sample of a model: the elements of each tensor in the whole. */
  readonly sizes: readonly number[] | null;
  jobAt(rate: number): Omit<DescribedJob, "cases">;
  close(): Promise<void>;
}

export function sweepCommand(streams: Streams): Command {
  const command = new Command("sweep")
    .description(
      "Counts a grid of formats, schemes and roundings at every learning rate of a synthetic run, or with the updates of " +
        "a recorded run (FOLDER) multiplied by every --scale. Tells the smallest rate from which on each format learns, and " +
        "what keeps its updates at the fewest bits a weight.",
    )
    .argument("[folder]", "a recorded run (default: a synthetic one)");
  addSyntheticOptions(command, {
    steps: String(defaultSteps),
    rates: ratesOption("--lr <rates>", "learning rates: a list, or from:to:count").default(
      rates(defaultRates),
      defaultRates,
    ),
  })
    .addOption(
      ratesOption(
        "--scale <rates>",
        "factors on the updates of a recorded run: a list, or from:to:count (default: 0.1:10:5)",
      ),
    )
    .addOption(
      shareOption(
        "--learns <x>",
        "minimum share of the fp32 displacement retained by a case that learns; the maximum is 2 minus it",
        0.5,
      ),
    )
    .addOption(shareOption("--keeps <x>", "minimum share retained by a case that keeps its updates", 0.99))
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(shardOption());
  addOutputOptions(addCaseOptions(command, { seed: false }), "case and rate");
  return command.action(async (folder: string | undefined, options: SweepOptions) => {
    checkOutput(options, streams);
    const request = shardRequest(command, options, streams);
    if (options.keeps < options.learns) command.error("error: --keeps is less than --learns");
    const sweep =
      folder === undefined
        ? await overSynthetic(command, options)
        : await overRecorded(command, folder, options);
    try {
      expectApart(outputFiles(options), sweep.files);
      const result = await count(command, sweep, options, folder !== undefined, request, streams);
      if (result !== null) await emitBy(sweepRenderers, result, options, streams);
    } finally {
      await sweep.close();
    }
  });
}

async function count(
  command: Command,
  sweep: Sweep,
  options: SweepOptions,
  recorded: boolean,
  request: ShardRequest | null,
  streams: Streams,
): Promise<SweepResult | null> {
  const cases = caseGrid(command, options);
  const wholes = sweep.rates.map((rate) => ({
    ...sweep.jobAt(rate),
    cases,
    ...(options.threads !== undefined && { threads: options.threads }),
  }));
  const first = request
    ? await shardOfJob(wholes[0], workOf(sweep, options), request, options, streams)
    : wholes[0];
  if (first === null) return null;
  const shard = "shard" in first ? first.shard : null;
  const jobs = shard
    ? wholes.map((job) => ({ ...job, tensors: piecesOf(job.tensors, shard.part.ranges), shard }))
    : wholes;
  const ofTensors: TensorCounts[][] = [];
  const cells: SweepCell[] = [];
  let input: SweepResult["input"] | undefined;
  let engine: SweepResult["engine"] | undefined;
  let at = 0;
  const progress = options.quiet ? null : streams.err;
  for await (const result of countJobs(jobs, { engine: options.engine, progress })) {
    // A shard's tensors are not a sample of the model, only those of the whole are.
    cells.push(...sweepCells(result, sweep.rates[at++], shard ? null : sweep.sizes));
    if (shard && sweep.sizes) ofTensors.push(...result.cases.map(({ tensors }) => [...tensors]));
    const { metadata: _, ...rest } = result.input;
    // A synthetic input states the learning rate of the first job.
    input ??= rest;
    engine = result.engine;
  }
  const settings = {
    overflow: options.overflow,
    seed: options.seed,
    strict: false,
    rate: recorded ? "scale" : "lr",
    learns: options.learns,
    keeps: options.keeps,
  } as const;
  return {
    schema: "precision-lens-sweep/2",
    tool: { name: "precision-lens", version },
    input: input!,
    settings,
    engine: engine!,
    rates: sweep.rates,
    cells,
    ...sweepAnswers(cells, settings),
    ...(await castsOf(jobs[0])),
    skipped: jobs[0].skipped,
    ...(shard && { part: { ...shard.part, ...(sweep.sizes && { cells: ofTensors }) } }),
  };
}

function workOf(sweep: Sweep, { learns, keeps }: SweepOptions): WorkOf {
  const { rates, files, sizes } = sweep;
  const { kind, synthetic } = sweep.jobAt(rates[0]).source;
  return { command: "sweep", settings: { rates, kind, synthetic, learns, keeps }, files, sizes };
}

async function overSynthetic(command: Command, options: SweepOptions): Promise<Sweep> {
  if (options.scale !== undefined) {
    command.error("error: --scale is for a recorded run (FOLDER); --lr has the rates of a synthetic one");
  }
  const { lr, ...rest } = options;
  const settings = syntheticSettings(command, {
    ...rest,
    // A preset has its own number of steps.
    ...(options.preset === undefined && { steps: options.steps ?? defaultSteps }),
    lr: lr[0],
  });
  const synthetic = await openSynthetic(settings, options.weights);
  const elements = synthetic.tensors.reduce((sum, { weights }) => sum + weights.length, 0);
  const all = synthetic.sizes.reduce((sum, size) => sum + size, 0);
  return {
    rates: lr,
    files: synthetic.files,
    sizes: elements < all ? synthetic.sizes : null,
    jobAt(rate) {
      const { tensors, stepNumbers, skipped, source } = synthetic.at(rate);
      return { tensors, stepNumbers, skipped, source, strict: false };
    },
    close: synthetic.close,
  };
}

async function overRecorded(command: Command, folder: string, options: SweepOptions): Promise<Sweep> {
  refuseSynthetic(command);
  const paths = await recordedRun(folder);
  const { tensors, stepNumbers, skipped, metadata, files, close } = await openRecording(paths);
  const source = {
    kind: "recorded",
    weights: paths.weights,
    updates: paths.updates,
    gradients: null,
    metadata: Object.fromEntries(metadata.updates),
  } as const;
  return {
    rates: options.scale ?? rates("0.1:10:5"),
    files,
    sizes: null,
    jobAt: (rate) => ({
      tensors: tensors.map((tensor) => ({
        ...tensor,
        updates: tensor.updates.map((values) => scaledValues(values, rate)),
      })),
      stepNumbers,
      skipped,
      source,
      strict: false,
    }),
    close,
  };
}

function ratesOption(flags: string, about: string): Option {
  return new ListOption(flags, about, rates, ascending);
}

/** Ascending rates: a list, or from:to:count, evenly spaced on a logarithmic scale. */
function rates(text: string): number[] {
  const list = text.includes(":") ? logarithmic(text.split(":")) : text.split(",").map(finiteNumber);
  if (list.some((rate) => rate <= 0)) throw new InvalidArgumentError("expected rates above zero");
  return ascending(list);
}

function ascending(rates: readonly number[]): number[] {
  return [...new Set(rates)].sort((a, b) => a - b);
}

function logarithmic(parts: readonly string[]): number[] {
  const [from, to, count] = parts.map(finiteNumber);
  const right = from > 0 && to > from && Number.isInteger(count) && count >= 2 && count <= 1000;
  if (parts.length !== 3 || !right) {
    throw new InvalidArgumentError("expected a list such as 1e-7,1e-6 or from:to:count such as 1e-7:1e-4:7");
  }
  // Three digits, so that rates are readable and can be given again.
  return Array.from({ length: count }, (_, i) =>
    Number((from * (to / from) ** (i / (count - 1))).toPrecision(3)),
  );
}

function shareOption(flags: string, about: string, byDefault: number): Option {
  return new Option(flags, about)
    .argParser((text) => {
      const x = finiteNumber(text);
      if (x <= 0 || x > 1) throw new InvalidArgumentError("expected a share above 0, at most 1");
      return x;
    })
    .default(byDefault);
}
