import { Command, InvalidArgumentError, Option } from "commander";
import type { Rounding } from "../format/round.js";
import { checkOf } from "../lens/run/check.js";
import { renderCheck } from "../report/check.js";
import { InputError } from "../source/input-error.js";
import { type Recording, recordedRun } from "../source/recording.js";
import { storedAs } from "../source/stored-as.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import { updateSettings } from "../update/settings.js";
import { type AnswerOptions, addAnswerOptions, checkAnswer, writeAnswer } from "./answer.js";
import { CheckFailed } from "./check-failed.js";
import { finiteNumber, formatName, threadsOption, wholeNumber } from "./common-options.js";
import { lensRecording } from "./lens-recording.js";
import { engineOption, roundingOption } from "./options.js";
import { type Streams, wrappedFor } from "./streams.js";
import { asUsage, oneOf } from "./strict-options.js";
import { expectApart } from "./write-output.js";

interface CheckOptions extends AnswerOptions {
  readonly format?: string;
  readonly scheme?: SchemeName;
  readonly rounding: Rounding;
  readonly seed: number;
  readonly failAbove?: number;
  readonly strict?: boolean;
  readonly engine: string;
  readonly threads?: number;
}

export function checkCommand(streams: Streams): Command {
  const { out, err } = streams;
  const command = new Command("check")
    .description(
      "Applies the recorded updates as the run stores its weights, and gives one verdict with its reason.\n" +
        "RUN is the folder of a recorded run. How it is stored is what the options say, or its metadata (format, scheme and rounding, or stored_as); " +
        "weights in fp32 are stored as such.",
    )
    .argument("<run>", "folder with base.safetensors and updates.safetensors")
    .option("--format <name>", "storage format (default: the file's; bf16 for fp32 files)", formatName)
    .addOption(
      new Option(
        "--scheme <name>",
        `how weights take updates: ${schemeNames.join(", ")} (default: the recording's)`,
      ).argParser((name) => oneOf("scheme", name, schemeNames)),
    )
    .addOption(roundingOption())
    .option("--seed <n>", "seed of stochastic rounding", wholeNumber, 0)
    .option(
      "--fail-above <share>",
      "exit with code 3 if more than this share, 0 to 1, is lost (1 - retained)",
      share,
    )
    .option("--strict", "fail if a tensor cannot be counted")
    .addOption(engineOption())
    .addOption(threadsOption());
  return addAnswerOptions(command, "the verdict").action(async (folder: string, options: CheckOptions) => {
    const { json, quiet = false, failAbove = null } = options;
    checkAnswer(options);
    const result = await lensRecording({
      paths: await recordedRun(folder),
      of: "update",
      plan: (recording) => {
        if (json !== undefined && json !== "-") expectApart([json], recording.files);
        return { tensors: recording.tensors, cases: [caseOf(command, recording, options)] };
      },
      engine: options.engine,
      threads: options.threads,
      strict: options.strict ?? false,
      progress: quiet ? null : err,
    });
    const check = checkOf(result, failAbove);
    writeAnswer(check, () => wrappedFor(out, renderCheck(check)), options, out);
    if (check.failed) throw new CheckFailed();
  });
}

function caseOf(command: Command, recording: Recording, options: CheckOptions) {
  const { seed } = options;
  const told = storedAs(recording);
  // The recorded rounding belongs to the recorded scheme.
  const asked = options.scheme !== undefined || command.getOptionValueSource("rounding") !== "default";
  const rounding = asked ? options.rounding : (told.rounding ?? options.rounding);
  const given = { format: options.format ?? told.format, scheme: options.scheme ?? told.scheme };
  // An fp32 file means that the optimizer stores fp32 weights. A bf16 file may be the start of any run.
  if (given.format === null && given.scheme === null && told.dtype !== "fp32") {
    const expected = "format and scheme, or stored_as, in its metadata, or --scheme";
    throw new InputError(recording.paths.weights, expected, `weights in ${told.dtype ?? "several formats"}`);
  }
  const { scheme } = given;
  const fileFormat = scheme === null || told.dtype !== "fp32" ? told.dtype : null;
  const format = given.format ?? fileFormat ?? "bf16";
  return asUsage(command, () => updateSettings({ format, scheme: scheme ?? "in-place", rounding, seed }));
}

function share(text: string): number {
  const x = finiteNumber(text);
  if (x < 0 || x > 1) throw new InvalidArgumentError("expected a share from 0 to 1");
  return x;
}
