import { Command } from "commander";
import { isAdapter } from "../source/adapter/is-adapter.js";
import { InputError } from "../source/input-error.js";
import { threadsWorthStarting } from "../source/pair/threads.js";
import { WorkerPool } from "../source/pair/worker-pool.js";
import {
  addOutputOptions,
  formatName,
  type OutputOptions,
  resumeOption,
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
  readonly writeDelta?: string;
  readonly applyDelta?: string;
  /** Of a LoRA adapter. */
  readonly merged?: string;
  readonly unmerge?: boolean;
  readonly roundUpdate?: string;
}

/** What is done where AFTER is a LoRA adapter. */
export type MergeAdapter = (
  base: string,
  adapter: string,
  options: DiffOptions,
  streams: Streams,
) => Promise<void>;

/** @param merge loads what merges an adapter; without it AFTER is taken for a checkpoint. */
export function diffCommand(streams: Streams, merge?: () => Promise<MergeAdapter>): Command {
  const command = new Command("diff")
    .summary("two checkpoints: what changed, what only looks unchanged")
    .description(
      "Compares two checkpoints weight by weight: what is unchanged in all, by module and by layer, how far the rest " +
        "went, and what sending the changes would cost. Of the folder of a recorded run, BEFORE is its base and AFTER " +
        "its end, the updates added in fp32; such a folder given twice tells the real sparsity too. Where AFTER is a LoRA adapter, it tells " +
        "what merging it into BEFORE would lose; of a series, what each step changed, and what changed since BEFORE.",
    )
    .argument(
      "<before>",
      "file of safetensors or torch.save, index of shards, folder of one, or a recorded run",
    )
    .argument("<after...>", "the same; several are a series; or the folder of a LoRA adapter (PEFT)")
    .option("--view <format>", "compare what would be stored in this format", formatName)
    .option("--strict", "a tensor that cannot be compared is an error")
    .option(
      "--merged <path>",
      "of an adapter: a merged checkpoint, to compare bit for bit with what merging gives",
    )
    .option("--unmerge", "of an adapter: what is back after the update is taken away again")
    .option(
      "--round-update <format>",
      "of an adapter: round its update to this format first, as PEFT does with safe_merge",
      formatName,
    )
    .option("--sample <n>", "chunks of 65,536 weights to compress", wholeNumber, 16)
    .option("--seed <n>", "of the places of those chunks", wholeNumber, 0)
    .option("--write-delta <file>", "write what makes AFTER from BEFORE, byte for byte (safetensors)")
    .option("--apply-delta <file>", "first make AFTER, where nothing is yet, from BEFORE and such a delta")
    .addOption(threadsOption())
    .addOption(resumeOption());
  return addOutputOptions(command).action(async (before: string, afters: string[], options: DiffOptions) => {
    const [after] = afters;
    const isSeries = afters.length > 1;
    const forTwo = (["resume", "writeDelta", "applyDelta"] as const).find(
      (name) => options[name] !== undefined,
    );
    if (forTwo !== undefined && isSeries) refuseOption(command, forTwo, "two checkpoints");
    if (options.writeDelta !== undefined && options.applyDelta !== undefined) {
      command.error("error: only one of --write-delta and --apply-delta can be given");
    }
    const [ofBefore, ofAfter] = await Promise.all([isAdapter(before), isAdapter(after)]);
    // Two adapters are compared as any two checkpoints.
    const isMerge = merge !== undefined && !isSeries && ofAfter && !ofBefore;
    if (isMerge && forTwo !== undefined) refuseOption(command, forTwo, "two checkpoints");
    if (isMerge) return (await merge())(before, after, options, streams);
    const stray = (["merged", "unmerge", "roundUpdate"] as const).find((name) => options[name] !== undefined);
    if (stray !== undefined) refuseOption(command, stray, "AFTER a LoRA adapter");
    const others = (options.threads ?? threadsWorthStarting([before, ...afters])) - 1;
    const pool = others > 0 ? new WorkerPool(threadScript, others) : null;
    try {
      if (isSeries) {
        const { diffSeries } = await import("./diff-series.js");
        return await diffSeries([before, ...afters], options, pool, streams);
      }
      // Threads take as long to start as all else does to be loaded and made ready.
      const { diffFiles } = await import("./diff-files.js");
      await diffFiles(before, after, options, pool, streams);
    } catch (error) {
      const nothing =
        error instanceof InputError && error.expected.startsWith("tensors that can be compared");
      if (!nothing || !ofBefore || ofAfter) throw error;
      throw new InputError(before, "a base as BEFORE, and its adapter as AFTER", "a LoRA adapter");
    } finally {
      await pool?.close();
    }
  });
}

function refuseOption(command: Command, name: string, what: string): never {
  return command.error(`error: --${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is for ${what}`);
}
