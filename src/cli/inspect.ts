import { Command } from "commander";
import { blockFormats, isBlockFormat } from "../format/block/block-format.js";
import { targetFormat } from "../lens/inspect/quality.js";
import { terminalText } from "../report/blocks/terminal.js";
import { inspectionReport } from "../report/kinds/inspection.js";
import { openCheckpoint } from "../source/checkpoint.js";
import { inspectCheckpoint } from "../source/inspect/inspect-checkpoint.js";
import { formatName, wholeNumber } from "./common-options.js";
import { gigabytes, progressBar } from "./progress.js";
import { type Streams, terminal } from "./streams.js";
import { asArgument, ListOption } from "./strict-options.js";
import { expectApart, expectWritable, writeWhole } from "./write-output.js";

interface InspectOptions {
  readonly as?: readonly string[];
  readonly sample: number | null;
  readonly json?: string;
  readonly quiet?: boolean;
}

export function inspectCommand(streams: Streams): Command {
  const { out, err } = streams;
  const formats = asArgument((text: string) => text.split(",").map(nameOfTarget));
  return new Command("inspect")
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
      4,
    )
    .option("--json <file>", "write the result as JSON to this file, or to stdout (-)")
    .option("--quiet", "print no table and no progress")
    .action(async (path: string, { as = [], sample, json, quiet }: InspectOptions) => {
      if (json !== undefined && json !== "-") expectWritable(json);
      const checkpoint = await openCheckpoint(path);
      const bar = await progressBar(quiet ? null : err, gigabytes);
      try {
        if (json !== undefined && json !== "-") expectApart([json], [...checkpoint.files.keys()]);
        const inspection = await inspectCheckpoint(checkpoint, {
          as: as.map(targetFormat),
          sample,
          progress: bar.progress,
        });
        bar.stop();
        const text = `${JSON.stringify(inspection)}\n`;
        if (json === "-") out.write(text);
        else if (json !== undefined) writeWhole(json, text);
        if (json !== "-" && !quiet) out.write(terminalText(inspectionReport(inspection), terminal(streams)));
      } finally {
        bar.stop();
        await checkpoint.close();
      }
    });
}

/** The canonical name of a format or block format. */
function nameOfTarget(text: string): string {
  if (isBlockFormat(text)) return targetFormat(text).name;
  try {
    return formatName(text);
  } catch (error) {
    throw new RangeError(
      `${(error as Error).message}; or with scales ${[...blockFormats.keys()].join(", ")}`,
    );
  }
}

/** The number of squares per tensor; null for all. */
function sampleSize(text: string): number | null {
  return text === "all" ? null : wholeNumber(text);
}
