import { Command } from "commander";
import { printable } from "../lens/printable.js";
import { mergeResults } from "../lens/run/merge.js";
import { InputError } from "../source/input-error.js";
import { addOutputOptions, type OutputOptions } from "./common-options.js";
import { checkOutput, emit, outputFiles } from "./emit.js";
import { emitAny } from "./emit-any.js";
import { readResult } from "./read-result.js";
import type { Streams } from "./streams.js";
import { expectApart } from "./write-output.js";

export function reportCommand(streams: Streams): Command {
  const command = new Command("report")
    .description(
      "Renders a result that --json saved, of run, simulate, diff, sweep, predict, learn, compare or inspect. Several results of runs of the same cases " +
        "and steps over different tensors are added up first, exactly; merge does that for the shards of --shard.",
    )
    .argument("<result.json...>", "saved results");
  return addOutputOptions(command).action(async (paths: string[], options: OutputOptions) => {
    checkOutput(options, streams);
    expectApart(outputFiles(options), paths);
    const results = await Promise.all(paths.map(readResult));
    if (results.length === 1) return emitAny(results[0], options, streams);
    const runs = results.filter((result) => result.schema === "precision-lens/2");
    const other = results.find(({ schema }) => schema !== "precision-lens/2");
    if (other !== undefined) {
      const found = `one of schema ${other.schema}, which does not`;
      throw new InputError(paths.join(", "), "results that add up", found);
    }
    if (runs.some(({ part }) => part !== undefined)) {
      const found = "those of shards: `precision-lens merge` adds them up";
      throw new InputError(paths.join(", "), "results over different tensors", found);
    }
    try {
      await emit(mergeResults(runs), options, streams);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError(paths.join(", "), "results that add up", `that ${printable(error.message)}`);
    }
  });
}
