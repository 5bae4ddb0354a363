import { basename } from "node:path";
import { Command } from "commander";
import { byShape } from "../engine/refused-shapes.js";
import { format } from "../format/registry.js";
import type { Geometry } from "../lens/geometry-result.js";
import { InputError } from "../source/input-error.js";
import { type Recording, type RecordingPaths, recordedRun } from "../source/recording.js";
import { replayOf } from "../source/replay.js";
import { removeLog } from "../source/resume-log.js";
import {
  addOutputOptions,
  formatName,
  type OutputOptions,
  resumeOption,
  threadsOption,
} from "./common-options.js";
import { checkOutput, emit, outputFiles } from "./emit.js";
import { addGeometryOptions, checkGeometryOptions, type GeometryOptions } from "./geometry-options.js";
import { lensAdapter } from "./lens-adapter.js";
import { lensShard, type Plan } from "./lens-recording.js";
import {
  addCaseOptions,
  addOptimizerOptions,
  type CaseOptions,
  caseGrid,
  engineOption,
  givenSettings,
  type OptimizerOptions,
  plainCases,
  recipeCases,
} from "./options.js";
import { shardOption, shardRequest } from "./shard-option.js";
import { type Streams, wrappedFor } from "./streams.js";
import { asUsage } from "./strict-options.js";
import { warnOfSkipped } from "./warn-of-skipped.js";
import { expectApart, expectReplaceable } from "./write-output.js";

interface RunOptions extends CaseOptions, OptimizerOptions, OutputOptions, GeometryOptions {
  readonly weights?: string;
  readonly updates?: string;
  readonly gradients?: string;
  readonly moments?: string;
  readonly adapter?: string;
  readonly merged?: string;
  readonly unmerge?: boolean;
  readonly roundUpdate?: string;
  readonly strict?: boolean;
  readonly engine: string;
  readonly threads?: number;
  readonly writeWeights?: string;
  readonly resume?: string;
  readonly shard?: unknown;
  readonly view?: string;
}

export function runCommand(streams: Streams): Command {
  const command = new Command("run")
    .description(
      "Applies recorded updates to weights under emulated arithmetic and classifies each of them.\n" +
        "FOLDER is a recorded run: base.safetensors, and updates.safetensors with tensors stepNNNN/<weight name>.\n" +
        "With --optimizer the updates are computed from gradients.safetensors, named the same way, with the settings that the " +
        "recording has by step and parameter group, from moments.safetensors if the optimizer's state was not empty.\n" +
        "With --adapter the one update is the product of a LoRA adapter, as merging adds it.",
    )
    .argument("[folder]", "a recorded run; without it, --weights and --updates name its parts")
    .option("--weights <path>", "weights before the run: a checkpoint's file, index of shards, or folder")
    .option("--updates <path>", "fp32 updates as they were added, in tensors stepNNNN/<weight name>")
    .option("--gradients <path>", "gradients, from which --optimizer computes the updates")
    .option(
      "--moments <path>",
      "moments of the optimizer before the first step, in tensors m/<weight name> and v/<weight name>",
    )
    .option(
      "--adapter <path>",
      "folder of a LoRA adapter (PEFT) that is merged into --weights, instead of updates",
    )
    .option("--merged <path>", "merged checkpoint to compare the result with, bit for bit")
    .option("--unmerge", "also report what is restored when the merged update is subtracted again")
    .option(
      "--round-update <format>",
      "format to which the adapter's update is rounded first, as with safe_merge of PEFT",
      formatName,
    )
    .option("--strict", "fail if a tensor cannot be counted")
    .option("--write-weights <file>", "write the stored weights at the end as safetensors; for one case only")
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(resumeOption())
    .addOption(shardOption());
  addGeometryOptions(
    command,
    "numbers of updates after which --geometry is measured too (default: 1, 2, 4, ... and all)",
  ).option("--view <format>", "format in which --geometry compares (default: that of the base)", formatName);
  addOutputOptions(addOptimizerOptions(addCaseOptions(command)));
  return command.action(async (folder: string | undefined, options: RunOptions) => {
    const byRecipe = options.optimizer !== undefined || options.gradients !== undefined;
    checkUsage(command, options, folder, byRecipe);
    checkOutput(options, streams);
    const request = shardRequest(command, options, streams);
    if (request !== null && options.writeWeights !== undefined) {
      command.error("error: --shard counts a part of the weights: it does not go with --write-weights");
    }
    if (request !== null && options.geometry) {
      command.error("error: --geometry measures whole matrices: it does not go with --shard");
    }
    if (options.adapter !== undefined) return runAdapter(command, options, streams);
    const paths = await pathsOf(folder, options, byRecipe);
    const geometry = options.geometry ? await geometryOf(folder!, options, streams) : null;
    if (options.writeWeights !== undefined) expectReplaceable(options.writeWeights, true);
    if (options.resume !== undefined) expectReplaceable(options.resume);
    const job = {
      paths,
      of: byRecipe ? ("gradient" as const) : ("update" as const),
      plan: (recording: Recording) => planOf(command, options, byRecipe, recording, streams),
      engine: options.engine,
      threads: options.threads,
      strict: options.strict ?? false,
      progress: options.quiet ? null : streams.err,
      writeWeights: options.writeWeights,
      resume: options.resume,
    };
    const result = await lensShard(job, request && { request, json: options.json, streams });
    if (result === null) return;
    if (!options.quiet) warnOfSkipped(result, streams);
    await emit(geometry ? { ...result, geometry } : result, options, streams);
    if (options.resume !== undefined) removeLog(options.resume);
  });
}

function checkUsage(
  command: Command,
  options: RunOptions,
  folder: string | undefined,
  byRecipe: boolean,
): void {
  const byAdapter = options.adapter !== undefined;
  const inputs = byRecipe ? options.gradients : (options.updates ?? options.adapter);
  const parts = byRecipe
    ? "--weights and --gradients"
    : `--weights and ${byAdapter ? "--adapter" : "--updates"}`;
  if ((folder === undefined) === (options.weights === undefined && inputs === undefined)) {
    command.error(`error: expected either FOLDER, or ${parts}`);
  }
  if (folder === undefined && (options.weights === undefined || inputs === undefined)) {
    command.error(`error: ${parts} go together`);
  }
  if (options.updates !== undefined && /^gradients\b/.test(basename(options.updates))) {
    command.error(
      `error: --updates ${options.updates}: by its name it has gradients, not updates: count it by --gradients, with --optimizer and --lr`,
    );
  }
  if (options.resume !== undefined && options.writeWeights !== undefined) {
    command.error("error: --resume keeps counts, not weights: it does not go with --write-weights");
  }
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  const onlyWith = (names: readonly string[], what: string) => {
    const stray = names.find(given);
    if (stray)
      command.error(`error: --${stray.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is for ${what}`);
  };
  if (byAdapter) {
    onlyWith(
      ["updates", "gradients", "optimizer", "writeWeights", "resume", "shard"],
      "recorded runs, not for --adapter",
    );
  } else {
    onlyWith(["merged", "unmerge", "roundUpdate"], "--adapter");
  }
  if (byRecipe) {
    onlyWith(
      ["updates", "scheme", "rounding", "through", "scales", "momentum", "opmath", "overflow"],
      "recorded updates, not for --optimizer",
    );
  } else {
    onlyWith(
      ["moments", "recipe", "lr", "betas", "eps", "weightDecay", "override"],
      "updates computed by --optimizer",
    );
  }
  checkGeometryOptions(command, options, { view: options.view });
  if (options.geometry && (folder === undefined || byRecipe)) {
    command.error("error: --geometry is for the recorded updates of a FOLDER");
  }
  if (folder !== undefined && options.moments !== undefined) {
    command.error("error: --moments goes with --weights and --gradients: FOLDER has its own");
  }
}

/** Loaded only if needed. */
async function geometryOf(folder: string, options: RunOptions, streams: Streams): Promise<Geometry> {
  const { view, strict = false } = options;
  const { runGeometry } = await import("./run-geometry.js");
  const pair = { view: view === undefined ? null : format(view), strict };
  return runGeometry(folder, pair, options, streams);
}

async function runAdapter(command: Command, options: RunOptions, streams: Streams): Promise<void> {
  const {
    weights,
    adapter,
    merged,
    unmerge = false,
    roundUpdate,
    engine,
    threads,
    strict = false,
    quiet,
  } = options;
  const result = await lensAdapter({
    base: weights!,
    adapter: adapter!,
    merged,
    unmerge,
    roundUpdate,
    cases: () => plainCases(command, "--adapter", caseGrid(command, options)),
    engine,
    threads,
    strict,
    progress: quiet ? null : streams.err,
    opened: (files) => expectApart(outputFiles(options), files),
  });
  if (!quiet) warnOfSkipped(result, streams);
  await emit(result, options, streams);
}

async function pathsOf(
  folder: string | undefined,
  options: RunOptions,
  byRecipe: boolean,
): Promise<RecordingPaths> {
  if (folder !== undefined) return recordedRun(folder, byRecipe ? "gradients" : "updates");
  const { weights, moments } = options;
  return {
    weights: weights!,
    updates: (byRecipe ? options.gradients : options.updates)!,
    ...(moments !== undefined && { moments }),
  };
}

function planOf(
  command: Command,
  options: RunOptions,
  byRecipe: boolean,
  recording: Recording,
  { err }: Streams,
): Plan {
  const { writeWeights, resume } = options;
  expectApart(
    [...outputFiles(options), ...[writeWeights, resume].filter((path) => path !== undefined)],
    recording.files,
  );
  const plan = byRecipe
    ? replayPlan(command, options, recording, (remark) => {
        if (!options.quiet) err.write(wrappedFor(err, `precision-lens: --override: ${remark}\n`));
      })
    : { tensors: recording.tensors, cases: caseGrid(command, options) };
  const { length } = plan.cases;
  if (writeWeights !== undefined && length !== 1) {
    command.error(`error: --write-weights takes one case, found ${length}`);
  }
  if (writeWeights !== undefined && plan.cases[0].blocks) {
    command.error("error: --write-weights writes formats without shared scales");
  }
  return plan;
}

function replayPlan(
  command: Command,
  options: RunOptions,
  recording: Recording,
  tell: (remark: string) => void,
): Plan {
  const given = givenSettings(options);
  const { override = false } = options;
  return asUsage(command, () => {
    const replay = replayOf(recording, { optimizer: options.optimizer, given, override });
    for (const remark of replay.remarks) tell(remark);
    const cases = recipeCases(options, replay.optimizer, options.recipe, replay.settings);
    const { taken, refused } = byShape(replay.tensors, cases);
    if (taken.length === 0 || (options.strict && refused.length > 0)) {
      throw new InputError(recording.paths.updates, "tensors that the recipe takes", refused[0].reason);
    }
    return {
      tensors: taken,
      skipped: refused,
      cases,
      ...(replay.isStated && { recorded: { given, override } }),
    };
  });
}
