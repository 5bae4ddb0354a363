import { Command } from "commander";
import { isAdapter } from "../source/adapter/is-adapter.js";
import { InputError } from "../source/input-error.js";
import { type Rename, renameRule } from "../source/names/rename.js";
import { threadsWorthStarting } from "../source/pair/threads.js";
import { WorkerPool } from "../source/pair/worker-pool.js";
import {
  addOutputOptions,
  finiteNumber,
  formatName,
  resumeOption,
  storageName,
  threadsOption,
  wholeNumber,
} from "./common-options.js";
import type { DiffOptions, MergeAdapter } from "./diff-options.js";
import type { Streams } from "./streams.js";
import { asArgument, ListOption } from "./strict-options.js";

const threadScript = new URL("./diff-worker.cjs", import.meta.url);

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
    .argument(
      "<after...>",
      "the same; several are a series, or tuned models with --geometry; or a LoRA adapter (PEFT)",
    )
    .option(
      "--view <format>",
      "compare what would be stored in this format, with shared scales too",
      storageName,
    )
    .option("--strict", "a tensor that cannot be compared is an error")
    .addOption(
      new ListOption(
        "--rename <rule>",
        "rewrite the names of tensors on both sides, as s/^module\\.// does; may be given again",
        asArgument((text: string) => [renameRule(text)]),
        (rules: readonly Rename[]) => [...rules],
      ),
    )
    .option("--common-rows", "compare the rows in common where a vocabulary was resized")
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
    .option("--write-delta <file>", "write what makes AFTER from BEFORE, byte for byte (safetensors)")
    .option("--apply-delta <file>", "first make AFTER, where nothing is yet, from BEFORE and such a delta")
    .addOption(threadsOption())
    .addOption(resumeOption());
  return addOutputOptions(command).action(async (before: string, afters: string[], options: DiffOptions) => {
    checkGeometry(command, options);
    const [after, ...more] = afters;
    const isSeries = more.length > 0 && options.geometry !== true;
    const forTwo = (["writeDelta", "applyDelta", "resume"] as const).filter(
      (name) => options[name] !== undefined,
    );
    const stop = forTwo.find((name) => name !== "resume" || options.geometry !== true);
    if (stop !== undefined && more.length > 0) refuseOption(command, stop, "two checkpoints");
    if (options.writeDelta !== undefined && options.applyDelta !== undefined) {
      command.error("error: only one of --write-delta and --apply-delta can be given");
    }
    const [ofBefore, ofAfter] = await Promise.all([isAdapter(before), isAdapter(after)]);
    // Two adapters are compared as any two checkpoints.
    const isMerge = merge !== undefined && more.length === 0 && ofAfter && !ofBefore;
    if (isMerge && options.geometry) refuseOption(command, "geometry", "two checkpoints");
    if (isMerge && forTwo.length > 0) refuseOption(command, forTwo[0], "two checkpoints");
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
      await diffFiles(before, after, more, options, pool, streams);
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

const mostRank = 1024;

function layersOf(text: string): number | "all" {
  return text === "all" ? text : wholeNumber(text);
}

/** What the options of --geometry ask of each other. */
function checkGeometry(command: Command, options: DiffOptions): void {
  const { geometry = false, rank, layers, lr, steps, milestones } = options;
  const given = Object.entries({ rank, layers, lr, steps, milestones }).find(
    ([, value]) => value !== undefined,
  );
  const refuse = (message: string) => command.error(`error: ${message}`);
  if (!geometry && given) refuse(`--${given[0]} is an option of --geometry, which was not given`);
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
