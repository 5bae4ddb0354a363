import { Command } from "commander";
import { quote } from "../source/input-error.js";
import { recordedRun } from "../source/recording.js";
import { checkOutput, emit } from "./emit.js";
import { lensRecording } from "./lens-recording.js";
import {
  addCaseOptions,
  addOutputOptions,
  type CaseOptions,
  caseGrid,
  engineOption,
  type OutputOptions,
} from "./options.js";

interface RunOptions extends CaseOptions, OutputOptions {
  readonly weights?: string;
  readonly updates?: string;
  readonly strict?: boolean;
  readonly engine: string;
}

export function runCommand(): Command {
  const command = new Command("run")
    .summary("apply recorded updates to weights and tell what became of each")
    .description(
      "Applies recorded updates to weights under emulated arithmetic and tells what became of each.\n" +
        "FOLDER is a recorded run: base.safetensors, and updates.safetensors with tensors stepNNNN/<weight name>.",
    )
    .argument("[folder]", "a recorded run; or name its parts:")
    .option("--weights <path>", "safetensors file, index of shards, or folder with one of them")
    .option("--updates <path>", "the same, fp32 updates as added: tensors stepNNNN/<weight name>")
    .option("--strict", "a tensor that cannot be counted is an error")
    .addOption(engineOption());
  addOutputOptions(addCaseOptions(command));
  return command.action(async (folder: string | undefined, options: RunOptions) => {
    if ((folder === undefined) === (options.weights === undefined && options.updates === undefined)) {
      command.error("error: expected either FOLDER, or --weights and --updates");
    }
    if (folder === undefined && (options.weights === undefined || options.updates === undefined)) {
      command.error("error: --weights and --updates go together");
    }
    checkOutput(options);
    const paths =
      folder === undefined
        ? { weights: options.weights!, updates: options.updates! }
        : await recordedRun(folder);
    const result = await lensRecording({
      paths,
      cases: caseGrid(options),
      engine: options.engine,
      strict: options.strict ?? false,
      quiet: options.quiet ?? false,
    });
    const { skipped } = result;
    if (skipped.length > 0 && !options.quiet) {
      const [{ name, reason }] = skipped;
      const which = skipped.length === 1 ? "1 tensor was" : `${skipped.length} tensors were`;
      process.stderr.write(`precision-lens: ${which} not counted; the first, ${quote(name)}: ${reason}\n`);
    }
    emit(result, options);
  });
}
