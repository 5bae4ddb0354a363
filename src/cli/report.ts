import { Command } from "commander";
import type { DifferenceResult } from "../lens/difference-result.js";
import { mergeResults } from "../lens/merge.js";
import { printable } from "../lens/printable.js";
import type { Result } from "../lens/result.js";
import { InputError } from "../source/input-error.js";
import { addOutputOptions, type OutputOptions } from "./common-options.js";
import { checkOutput, diffRenderers, emit, emitBy } from "./emit.js";
import { readResult } from "./read-result.js";

export function reportCommand(): Command {
  const command = new Command("report")
    .summary("render a saved result; several of one run's shards are added up")
    .description(
      "Renders a result that --json saved, of a run or of a diff. Several results of the same cases and steps over different tensors\n" +
        "(shards counted apart) are added up first, exactly.",
    )
    .argument("<result.json...>", "saved results");
  return addOutputOptions(command).action(async (paths: string[], options: OutputOptions) => {
    checkOutput(options);
    const results = await Promise.all(paths.map(readResult));
    if (results.length === 1) return emitAny(results[0], options);
    const runs = results.filter((result) => result.schema === "precision-lens/1");
    if (runs.length < results.length) {
      const found = "one of schema precision-lens-diff/1, which does not";
      throw new InputError(paths.join(", "), "results that add up", found);
    }
    try {
      emit(mergeResults(runs), options);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError(paths.join(", "), "results that add up", `that ${printable(error.message)}`);
    }
  });
}

function emitAny(result: Result | DifferenceResult, options: OutputOptions): void {
  if (result.schema === "precision-lens-diff/1") emitBy(diffRenderers, result, options);
  else emit(result, options);
}
