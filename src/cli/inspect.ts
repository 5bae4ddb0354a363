import { Command } from "commander";
import { blockFormats, isBlockFormat, storageFormat } from "../format/block/block-format.js";
import { defaultSample } from "../lens/inspect/inspection.js";
import { openCheckpoint } from "../source/checkpoint.js";
import { inspectCheckpoint } from "../source/inspect/inspect-checkpoint.js";
import { addOutputOptions, formatName, type OutputOptions, wholeNumber } from "./common-options.js";
import { checkOutput, emitBy, inspectionRenderers, outputFiles } from "./emit.js";
import { gigabytes, progressBar } from "./progress.js";
import type { Streams } from "./streams.js";
import { asArgument, ListOption } from "./strict-options.js";
import { expectApart } from "./write-output.js";

interface InspectOptions extends OutputOptions {
  readonly as?: readonly string[];
  readonly sample: number | "all";
}

export function inspectCommand(streams: Streams): Command {
  const { err } = streams;
  const formats = asArgument((text: string) => text.split(",").map(nameOfTarget));
  const command = new Command("inspect")
    .description(
      "Lists the formats of tensors, the magnitudes of their numbers, and scales that are most likely mistakes. " +
        "With --as, the errors of storing these numbers in other formats: the share clipped, the share stored as zero, " +
        "and the signal-to-quantization-noise ratio, by module and layer.",
    )
    .argument("<file>", "a checkpoint's file (safetensors, torch.save), index of shards, or folder")
    .addOption(
      new ListOption(
        "--as <formats>",
        "formats to try, separated by commas: bf16, mxfp8-e4m3, nvfp4, ...",
        formats,
      ),
    )
    .option(
      "--sample <n>",
      "number of squares of 128 x 128 that are tried of a tensor, or all",
      sampleSize,
      defaultSample,
    );
  return addOutputOptions(command, "tensor").action(async (path: string, options: InspectOptions) => {
    const { as = [], sample, quiet } = options;
    checkOutput(options, streams);
    const checkpoint = await openCheckpoint(path);
    const bar = await progressBar(quiet ? null : err, gigabytes);
    try {
      expectApart(outputFiles(options), [...checkpoint.files.keys()]);
      const inspection = await inspectCheckpoint(checkpoint, {
        as: as.map(storageFormat),
        sample: sample === "all" ? null : sample,
        progress: bar.progress,
      });
      bar.stop();
      await emitBy(inspectionRenderers, inspection, options, streams);
    } finally {
      bar.stop();
      await checkpoint.close();
    }
  });
}

/** The canonical name of a format or block format. */
function nameOfTarget(text: string): string {
  if (isBlockFormat(text)) return storageFormat(text).name;
  try {
    return formatName(text);
  } catch (error) {
    throw new RangeError(
      `${(error as Error).message}; or with scales ${[...blockFormats.keys()].join(", ")}`,
    );
  }
}

/** The number of squares per tensor. */
function sampleSize(text: string): number | "all" {
  return text === "all" ? text : wholeNumber(text);
}
