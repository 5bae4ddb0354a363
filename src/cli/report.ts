import { Command } from "commander";
import { mergeResults } from "../lens/merge.js";
import { printable } from "../lens/printable.js";
import { InputError } from "../source/input-error.js";
import { checkOutput, emit } from "./emit.js";
import { addOutputOptions, type OutputOptions } from "./options.js";
import { readResult } from "./read-result.js";

export function reportCommand(): Command {
  const command = new Command("report")
    .summary("render a saved result; several of one run's shards are added up")
    .description(
      "Renders a result that --json saved. Several results of the same cases and steps over different tensors\n" +
        "(shards counted apart) are added up first, exactly.",
    )
    .argument("<result.json...>", "saved results");
  return addOutputOptions(command).action(async (paths: string[], options: OutputOptions) => {
    checkOutput(options);
    const results = await Promise.all(paths.map(readResult));
    if (results.length === 1) return emit(results[0], options);
    try {
      emit(mergeResults(results), options);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError(paths.join(", "), "results that add up", `that ${printable(error.message)}`);
    }
  });
}
