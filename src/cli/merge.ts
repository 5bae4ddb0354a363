import { Command } from "commander";
import { type PartialResult, PartRefused } from "../lens/shard/merge-parts.js";
import { ShardMerger } from "../lens/shard/merge-shards.js";
import { InputError } from "../source/input-error.js";
import { addOutputOptions, type OutputOptions } from "./common-options.js";
import { checkOutput, outputFiles } from "./emit.js";
import { emitAny } from "./emit-any.js";
import { readResult, type SavedResult } from "./read-result.js";
import type { Streams } from "./streams.js";
import { expectApart } from "./write-output.js";

interface MergeOptions extends OutputOptions {
  readonly partial?: boolean;
}

export function mergeCommand(streams: Streams): Command {
  const command = new Command("merge")
    .description(
      "Adds up the results of run, diff, simulate or sweep with --shard, in any order. The sum of all shards is what one " +
        "machine would have counted, bit for bit. With --partial, of those that are there; such sums can be merged again.",
    )
    .argument("<result.json...>", "results of shards, or sums of some")
    .option("--partial", "shards may be missing: the result is of the others, and says so");
  return addOutputOptions(command).action(async (paths: string[], options: MergeOptions) => {
    checkOutput(options, streams);
    expectApart(outputFiles(options), paths);
    const merger = new ShardMerger();
    try {
      for (const path of paths) {
        const result = await readResult(path);
        if (!canBePart(result)) {
          throw new PartRefused(
            path,
            "the result of a shard, run with --shard",
            `one of schema ${result.schema}`,
          );
        }
        merger.add(path, result);
      }
      await emitAny(merger.end(options.partial), options, streams);
    } catch (error) {
      if (!(error instanceof PartRefused)) throw error;
      throw new InputError(error.part, error.expected, error.found);
    }
  });
}

function canBePart(result: SavedResult): result is PartialResult {
  return ["precision-lens/2", "precision-lens-diff/2", "precision-lens-sweep/2"].includes(result.schema);
}
