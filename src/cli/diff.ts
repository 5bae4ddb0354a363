import { Command } from "commander";
import { isBlockFormat } from "../format/block/block-format.js";
import { isAdapter } from "../source/adapter/is-adapter.js";
import { InputError } from "../source/input-error.js";
import { type Rename, renameRule } from "../source/names/rename.js";
import type { RangePool } from "../source/pair/compare-pair.js";
import { ThreadPool } from "../source/pair/thread-pool.js";
import { threadsWorthStarting } from "../source/pair/threads.js";
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
import { addGeometryOptions, checkGeometryOptions } from "./geometry-options.js";
import { shardOption, shardRequest } from "./shard-option.js";
import type { Streams } from "./streams.js";
import { asArgument, ListOption } from "./strict-options.js";

const threadScript = new URL("./diff-worker.cjs", import.meta.url);

/** @param merge loads the code that merges an adapter; without it, AFTER must be a checkpoint. */
export function diffCommand(streams: Streams, merge?: () => Promise<MergeAdapter>): Command {
  const command = new Command("diff")
    .description(
      "Compares two checkpoints weight by weight: what is unchanged in total, by module and by layer, how far the others " +
        "moved, and what sending the changes would cost. For the folder of a recorded run, BEFORE means its base and AFTER " +
        "its end, with the updates added in fp32; giving it twice shows the real sparsity too. If AFTER is a LoRA adapter, reports " +
        "what merging it into BEFORE would lose; for a series, what each step changed, and what changed since BEFORE.",
    )
    .argument(
      "<before>",
      "a checkpoint's file (safetensors, torch.save), index of shards or folder, or a recorded run",
    )
    .argument(
      "<after...>",
      "the same; several are a series, or tuned models with --geometry; or a LoRA adapter (PEFT)",
    )
    .option(
      "--view <format>",
      "format in which both sides are compared, as if stored in it; may have shared scales",
      storageName,
    )
    .option("--strict", "fail if a tensor cannot be compared")
    .addOption(
      new ListOption(
        "--rename <rule>",
        "rewrite the names of tensors on both sides, as s/^module\\.// does; may be given again",
        asArgument((text: string) => [renameRule(text)]),
        (rules: readonly Rename[]) => [...rules],
      ),
    )
    .option("--common-rows", "compare the common rows if a vocabulary was resized")
    .option("--merged <path>", "merged checkpoint to compare the result with, bit for bit")
    .option("--unmerge", "also report what is restored when the merged update is subtracted again")
    .option(
      "--round-update <format>",
      "format to which the adapter's update is rounded first, as with safe_merge of PEFT",
      formatName,
    )
    .option(
      "--sample <n>",
      "number of chunks of 65,536 weights that are compressed, for an estimate",
      wholeNumber,
      16,
    )
    .option(
      "--seed <n>",
      "seed of the positions of those chunks, and of the random signs of --geometry",
      wholeNumber,
      0,
    );
  addGeometryOptions(command, "numbers of updates of a recorded run after which --geometry is measured too")
    .option("--lr <rate>", "learning rate of the run, for the distance of a noise walk", finiteNumber)
    .option(
      "--steps <n>",
      "number of optimizer steps of the run, for the distance of a noise walk",
      wholeNumber,
    )
    .option(
      "--write-delta <file>",
      "write a delta that rebuilds AFTER from BEFORE, byte for byte (safetensors)",
    )
    .option(
      "--apply-delta <file>",
      "first rebuild AFTER, which must not exist yet, from BEFORE and this delta",
    )
    .addOption(threadsOption())
    .addOption(resumeOption())
    .addOption(shardOption());
  return addOutputOptions(command).action(async (before: string, afters: string[], options: DiffOptions) => {
    checkGeometry(command, options);
    const request = shardRequest(command, options, streams);
    const [after, ...more] = afters;
    if (request !== null) checkShard(command, options, more);
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
    // Two adapters are compared like any checkpoints.
    const isMerge = merge !== undefined && more.length === 0 && ofAfter && !ofBefore;
    if (isMerge && options.geometry) refuseOption(command, "geometry", "two checkpoints");
    if (isMerge && forTwo.length > 0) refuseOption(command, forTwo[0], "two checkpoints");
    if (isMerge && request !== null) refuseOption(command, "shard", "two checkpoints");
    if (isMerge) {
      const forPairs = (["rename", "commonRows", "sample", "seed"] as const).find(
        (name) => command.getOptionValueSource(name) === "cli",
      );
      if (forPairs !== undefined) refuseOption(command, forPairs, "checkpoints, not for a LoRA adapter");
      if (options.view !== undefined && isBlockFormat(options.view)) {
        command.error(
          `error: --view of a LoRA adapter's merge is for formats without shared scales, found ${options.view}`,
        );
      }
      return (await merge())(before, after, options, streams);
    }
    const stray = (["merged", "unmerge", "roundUpdate"] as const).find((name) => options[name] !== undefined);
    if (stray !== undefined) refuseOption(command, stray, "AFTER a LoRA adapter");
    const others = (options.threads ?? threadsWorthStarting([before, ...afters])) - 1;
    let pool = null as RangePool | null;
    const startThreads = () => {
      pool ??= others > 0 ? new ThreadPool(threadScript, others, 2) : null;
      return pool;
    };
    // First: that takes as long as loading everything else. A geometry has threads of its own, which count most of what there is.
    if (options.geometry !== true) startThreads();
    try {
      if (isSeries) {
        const { diffSeries } = await import("./diff-series.js");
        return await diffSeries([before, ...afters], options, startThreads(), streams);
      }
      const { diffFiles } = await import("./diff-files.js");
      await diffFiles(before, after, more, options, request, startThreads, streams);
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

/** Rejects options whose results need all weights. */
function checkShard(command: Command, options: DiffOptions, more: readonly string[]): void {
  if (more.length > 0) refuseOption(command, "shard", "two checkpoints");
  for (const [name, why] of [
    ["geometry", "measures whole matrices"],
    ["writeDelta", "writes all that changed"],
    ["applyDelta", "makes whole files"],
  ] as const) {
    if (options[name] === undefined) continue;
    const option = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    command.error(`error: --${option} ${why}: it does not go with --shard`);
  }
}

/** Checks the combination of --geometry's options. */
function checkGeometry(command: Command, options: DiffOptions): void {
  const { lr, steps, geometry, view } = options;
  checkGeometryOptions(command, options, { lr, steps });
  const refuse = (message: string) => command.error(`error: ${message}`);
  if ((lr === undefined) !== (steps === undefined)) {
    refuse("--lr and --steps go together: one alone does not say how far a noise walk gets");
  }
  if (lr !== undefined && lr <= 0) refuse(`--lr ${lr}: expected a learning rate above zero`);
  if (geometry && view !== undefined && isBlockFormat(view)) {
    refuse(
      `--view ${view} has shared scales, and --geometry measures numbers of plain formats: name bf16, fp32, ...`,
    );
  }
  if (steps === 0) refuse("--steps 0: expected at least one");
}
