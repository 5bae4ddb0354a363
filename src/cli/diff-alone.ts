import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { diffCommand } from "./diff.js";
import { runProgram } from "./program.js";
import type { Streams } from "./streams.js";

/**
 * The `diff` command built as one file, which loads in half the time (measured). If an argument may be a LoRA adapter,
 * it loads the full program, which has the engines.
 */
export const main = async (argv: readonly string[], streams: Streams): Promise<number> =>
  argv.slice(3).some(mayBeAdapter)
    ? (await import("./all-commands.js")).main(argv, streams)
    : runProgram(
        argv,
        new Map([["diff", { parameters: "", summary: "", load: async () => diffCommand(streams) }]]),
        streams,
      );

function mayBeAdapter(path: string): boolean {
  return [path, dirname(path)].some((folder) => existsSync(join(folder, "adapter_config.json")));
}
