import { realpathSync } from "node:fs";
import { Command } from "commander";
import type { Result } from "../lens/result.js";
import { InputError, quote } from "../source/input-error.js";
import { type RecordingPaths, recordedRun } from "../source/recording.js";
import { removeLog } from "../source/resume-log.js";
import type { CaseSettings } from "../update/optimizer.js";
import { addOutputOptions, type OutputOptions, resumeOption, threadsOption } from "./common-options.js";
import { checkOutput, emit } from "./emit.js";
import { lensRecording } from "./lens-recording.js";
import {
  addCaseOptions,
  addOptimizerOptions,
  type CaseOptions,
  caseGrid,
  engineOption,
  type OptimizerOptions,
  recipeCases,
} from "./options.js";
import type { Streams } from "./streams.js";
import { expectWritable } from "./write-output.js";

interface RunOptions extends CaseOptions, OptimizerOptions, OutputOptions {
  readonly weights?: string;
  readonly updates?: string;
  readonly gradients?: string;
  readonly strict?: boolean;
  readonly engine: string;
  readonly threads?: number;
  readonly writeWeights?: string;
  readonly resume?: string;
}

export function runCommand(streams: Streams): Command {
  const command = new Command("run")
    .summary("apply recorded updates to weights and tell what became of each")
    .description(
      "Applies recorded updates to weights under emulated arithmetic and tells what became of each.\n" +
        "FOLDER is a recorded run: base.safetensors, and updates.safetensors with tensors stepNNNN/<weight name>.\n" +
        "With --optimizer the updates are computed from gradients.safetensors, named the same way, from step 1 on.",
    )
    .argument("[folder]", "a recorded run; or name its parts:")
    .option("--weights <path>", "safetensors file, index of shards, or folder with one of them")
    .option("--updates <path>", "the same, fp32 updates as added: tensors stepNNNN/<weight name>")
    .option("--gradients <path>", "instead of updates, for --optimizer")
    .option("--strict", "a tensor that cannot be counted is an error")
    .option("--write-weights <file>", "write the stored weights at the end (safetensors); one case only")
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(resumeOption());
  addOutputOptions(addOptimizerOptions(addCaseOptions(command)));
  return command.action(async (folder: string | undefined, options: RunOptions) => {
    const byRecipe = options.optimizer !== undefined || options.gradients !== undefined;
    checkUsage(command, options, folder, byRecipe);
    checkOutput(options, streams);
    const paths = await pathsOf(folder, options, byRecipe);
    const cases = casesOf(command, options, byRecipe);
    checkWriteWeights(options.writeWeights, paths, cases, command);
    if (options.resume !== undefined) expectWritable(options.resume);
    const result = await lensRecording({
      paths,
      cases,
      engine: options.engine,
      threads: options.threads,
      strict: options.strict ?? false,
      progress: options.quiet ? null : streams.err,
      writeWeights: options.writeWeights,
      resume: options.resume,
    });
    if (!options.quiet) warnOfSkipped(result, streams);
    await emit(result, options, streams);
    if (options.resume !== undefined) removeLog(options.resume);
  });
}

function checkUsage(
  command: Command,
  options: RunOptions,
  folder: string | undefined,
  byRecipe: boolean,
): void {
  const inputs = byRecipe ? options.gradients : options.updates;
  const parts = byRecipe ? "--weights and --gradients" : "--weights and --updates";
  if ((folder === undefined) === (options.weights === undefined && inputs === undefined)) {
    command.error(`error: expected either FOLDER, or ${parts}`);
  }
  if (folder === undefined && (options.weights === undefined || inputs === undefined)) {
    command.error(`error: ${parts} go together`);
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
  if (byRecipe) {
    onlyWith(
      ["updates", "scheme", "rounding", "opmath", "overflow"],
      "recorded updates, not for --optimizer",
    );
    if (options.lr === undefined) command.error("error: --optimizer needs --lr");
  } else {
    onlyWith(["recipe", "lr", "betas", "eps", "weightDecay"], "updates computed by --optimizer");
  }
}

async function pathsOf(
  folder: string | undefined,
  options: RunOptions,
  byRecipe: boolean,
): Promise<RecordingPaths> {
  if (folder !== undefined) return recordedRun(folder, byRecipe ? "gradients" : "updates");
  return { weights: options.weights!, updates: (byRecipe ? options.gradients : options.updates)! };
}

function casesOf(command: Command, options: RunOptions, byRecipe: boolean): readonly CaseSettings[] {
  if (!byRecipe) return caseGrid(options);
  try {
    return recipeCases(options, options);
  } catch (error) {
    if (error instanceof RangeError) command.error(`error: ${error.message}`);
    throw error;
  }
}

function checkWriteWeights(
  path: string | undefined,
  paths: RecordingPaths,
  cases: readonly CaseSettings[],
  command: Command,
): void {
  if (path === undefined) return;
  if (cases.length !== 1) command.error(`error: --write-weights takes one case, found ${cases.length}`);
  expectWritable(path, true);
  const same = (input: string) => {
    try {
      return realpathSync(input) === realpathSync(path);
    } catch {
      return false;
    }
  };
  if (same(paths.weights) || same(paths.updates)) {
    throw new InputError(path, "another file than the inputs", "an input");
  }
}

function warnOfSkipped({ skipped }: Result, { err }: Streams): void {
  if (skipped.length === 0) return;
  const [{ name, reason }] = skipped;
  const which = skipped.length === 1 ? "1 tensor was" : `${skipped.length} tensors were`;
  err.write(`precision-lens: ${which} not counted; the first, ${quote(name)}: ${reason}\n`);
}
