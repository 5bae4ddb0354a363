import { Command } from "commander";
import { threadsWorthStarting } from "../source/pair/threads.js";
import { WorkerPool } from "../source/pair/worker-pool.js";
import {
  addOutputOptions,
  finiteNumber,
  formatName,
  type OutputOptions,
  resumeOption,
  threadsOption,
  wholeNumber,
} from "./common-options.js";
import type { Streams } from "./streams.js";
import { ListOption } from "./strict-options.js";

const threadScript = new URL("./diff-worker.cjs", import.meta.url);

export interface DiffOptions extends OutputOptions {
  readonly view?: string;
  readonly strict?: boolean;
  readonly sample: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume?: string;
  readonly geometry?: boolean;
  readonly rank?: number;
  readonly layers?: number | "all";
  readonly lr?: number;
  readonly steps?: number;
  readonly milestones?: readonly number[];
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
    .argument("<after...>", "the same; more than one with --geometry")
    .option("--view <format>", "compare what would be stored in this format", formatName)
    .option("--strict", "a tensor that cannot be compared is an error")
    .option("--sample <n>", "chunks of 65,536 weights to compress", wholeNumber, 16)
    .option("--seed <n>", "of the places of those chunks, and of drawn signs", wholeNumber, 0)
    .option(
      "--geometry",
      "how the change of each matrix lies, beside what would be expected if only sizes mattered (docs/gates.md)",
    )
    .option("--rank <n>", "leading directions of --geometry (default: 64)", wholeNumber)
    .option("--layers <n>", "layers whose spectra --geometry takes, 0 to all (default: 5)", layersOf)
    .option("--lr <rate>", "learning rate of the run, for what a noise walk would give", finiteNumber)
    .option("--steps <n>", "optimizer steps of the run, for the same", wholeNumber)
    .addOption(
      new ListOption(
        "--milestones <n,...>",
        "of a recorded run, --geometry after so many of its updates too",
        (text) => text.split(",").map(wholeNumber),
        (all) => [...new Set(all)].sort((a, b) => a - b),
      ),
    )
    .addOption(threadsOption())
    .addOption(resumeOption());
  return addOutputOptions(command).action(async (before: string, afters: string[], options: DiffOptions) => {
    checkGeometry(command, afters, options);
    const [after, ...more] = afters;
    const others = (options.threads ?? threadsWorthStarting([before, after])) - 1;
    const pool = others > 0 ? new WorkerPool(threadScript, others) : null;
    try {
      // Threads take as long to start as all else does to be loaded and made ready.
      const { diffFiles } = await import("./diff-files.js");
      await diffFiles(before, after, more, options, pool, streams);
    } finally {
      await pool?.close();
    }
  });
}

const mostRank = 1024;

function layersOf(text: string): number | "all" {
  return text === "all" ? text : wholeNumber(text);
}

/** What the options of --geometry ask of each other. */
function checkGeometry(command: Command, afters: readonly string[], options: DiffOptions): void {
  const { geometry = false, rank, layers, lr, steps, milestones } = options;
  const given = Object.entries({ rank, layers, lr, steps, milestones }).find(
    ([, value]) => value !== undefined,
  );
  const refuse = (message: string) => command.error(`error: ${message}`);
  if (!geometry && given) refuse(`--${given[0]} is an option of --geometry, which was not given`);
  if (!geometry && afters.length > 1) {
    refuse(`${afters.length} checkpoints to compare with: expected one, or --geometry, which takes several`);
  }
  if (rank !== undefined && (rank < 1 || rank > mostRank)) {
    refuse(`--rank ${rank}: expected from 1 to ${mostRank} directions`);
  }
  if ((lr === undefined) !== (steps === undefined)) {
    refuse("--lr and --steps go together: one alone does not say how far a noise walk gets");
  }
  if (lr !== undefined && lr <= 0) refuse(`--lr ${lr}: expected a learning rate above zero`);
  if (milestones?.includes(0)) refuse("--milestones 0: expected at least one update");
  if (steps === 0) refuse("--steps 0: expected at least one");
}
