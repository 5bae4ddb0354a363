import { Command } from "commander";
import { threadsWorthStarting } from "../source/pair/threads.js";
import { WorkerPool } from "../source/pair/worker-pool.js";
import {
  addOutputOptions,
  type OutputOptions,
  resumeOption,
  storageName,
  threadsOption,
  wholeNumber,
} from "./common-options.js";
import type { Streams } from "./streams.js";

const threadScript = new URL("./diff-worker.cjs", import.meta.url);

export interface DiffOptions extends OutputOptions {
  readonly view?: string;
  readonly strict?: boolean;
  readonly sample: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume?: string;
}

export function diffCommand(streams: Streams): Command {
  const command = new Command("diff")
    .summary("two checkpoints: what changed, what only looks unchanged")
    .description(
      "Compares two checkpoints weight by weight: what is unchanged in all, by module and by layer, how far the rest " +
        "went, and what sending the changes would cost. Of the folder of a recorded run, BEFORE is its base and AFTER " +
        "its end, the updates added in fp32; such a folder given twice tells the real sparsity too.",
    )
    .argument(
      "<before>",
      "file of safetensors or torch.save, index of shards, folder of one, or a recorded run",
    )
    .argument("<after>", "the same")
    .option(
      "--view <format>",
      "compare what would be stored in this format, with shared scales too",
      storageName,
    )
    .option("--strict", "a tensor that cannot be compared is an error")
    .option("--sample <n>", "chunks of 65,536 weights to compress", wholeNumber, 16)
    .option("--seed <n>", "of the places of those chunks", wholeNumber, 0)
    .addOption(threadsOption())
    .addOption(resumeOption());
  return addOutputOptions(command).action(async (before: string, after: string, options: DiffOptions) => {
    const others = (options.threads ?? threadsWorthStarting([before, after])) - 1;
    const pool = others > 0 ? new WorkerPool(threadScript, others) : null;
    try {
      // Threads take as long to start as all else does to be loaded and made ready.
      const { diffFiles } = await import("./diff-files.js");
      await diffFiles(before, after, options, pool, streams);
    } finally {
      await pool?.close();
    }
  });
}
