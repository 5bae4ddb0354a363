import { Command } from "commander";
import { comparerOf, provenKernel } from "../engine/wasm/difference/comparison.js";
import { format } from "../format/registry.js";
import { deltaCosts } from "../lens/delta.js";
import type { DifferenceTallyJson } from "../lens/difference.js";
import type { Comparer } from "../lens/difference-codes.js";
import type { DifferenceResult } from "../lens/difference-result.js";
import { summarizeDifference } from "../lens/summarize-difference.js";
import { comparePair } from "../source/pair/compare-pair.js";
import { zstdUnknown } from "../source/pair/compress.js";
import { openPair } from "../source/pair/open-pair.js";
import { type CheckpointPair, nameOf } from "../source/pair/pair-up.js";
import { threadsWorthStarting } from "../source/pair/threads.js";
import { WorkerPool } from "../source/pair/worker-pool.js";
import { version } from "../version.js";
import {
  addOutputOptions,
  formatName,
  type OutputOptions,
  resumeOption,
  threadsOption,
  wholeNumber,
} from "./common-options.js";
import { checkOutput, diffRenderers, emitBy } from "./emit.js";
import { gigabytes, progressBar } from "./progress.js";
import { expectWritable } from "./write-output.js";

const threadScript = new URL("./diff-worker.js", import.meta.url);

interface DiffOptions extends OutputOptions {
  readonly view?: string;
  readonly strict?: boolean;
  readonly sample: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume?: string;
}

export function diffCommand(): Command {
  const command = new Command("diff")
    .summary("two checkpoints: what changed, what only looks unchanged")
    .description(
      "Compares two checkpoints weight by weight: what is unchanged in all, by module and by layer, how far the rest\n" +
        "went, and what sending the changes would cost. Of the folder of a recorded run, BEFORE is its base and AFTER\n" +
        "its end, the updates added in fp32; such a folder given twice tells the real sparsity too.",
    )
    .argument("<before>", "safetensors file, index of shards, folder with one of them, or a recorded run")
    .argument("<after>", "the same")
    .option("--view <format>", "compare what would be stored in this format", formatName)
    .option("--strict", "a tensor that cannot be compared is an error")
    .option("--sample <n>", "chunks of 65,536 weights to compress", wholeNumber, 16)
    .option("--seed <n>", "of the places of those chunks", wholeNumber, 0)
    .addOption(threadsOption())
    .addOption(resumeOption());
  return addOutputOptions(command).action(async (before: string, after: string, options: DiffOptions) => {
    checkOutput(options);
    if (options.resume !== undefined) expectWritable(options.resume);
    const view = options.view === undefined ? null : format(options.view);
    // They start while the headers are read and the kernel is tried, which takes as long.
    const others = (options.threads ?? threadsWorthStarting([before, after])) - 1;
    const pool = others > 0 ? new WorkerPool(threadScript, others) : null;
    try {
      const kernel = provenKernel();
      const pair = await openPair(before, after, { view, strict: options.strict ?? false });
      try {
        pool?.prepare(await kernel);
        const result = await differenceOf(pair, comparerOf(await kernel), pool, options);
        await emitBy(diffRenderers, result, options);
        if (options.resume !== undefined) (await import("../source/resume-log.js")).removeLog(options.resume);
      } finally {
        await pair.close();
      }
    } finally {
      await pool?.close();
    }
  });
}

async function differenceOf(
  pair: CheckpointPair,
  comparer: Comparer,
  pool: WorkerPool | null,
  options: DiffOptions,
): Promise<DifferenceResult> {
  const { view = null, strict = false, sample: chunks, seed } = options;
  const log = await resumeLog(pair, options);
  const bar = await progressBar(options.quiet ?? false, gigabytes);
  try {
    const { tallies, sample } = await comparePair(pair, {
      sample: chunks,
      seed,
      comparer,
      pool,
      progress: bar.progress,
      resume: log && {
        tally: (tensor) => log.part(tensor),
        done: (tensor, tally) => log.add(tensor, tally),
      },
    });
    const counted = pair.tensors.map((tensor, i) => ({
      ...tensor,
      formats: {
        before: nameOf(tensor.before.format!),
        after: nameOf(tensor.after.format!),
        compared: nameOf(tensor.compared),
      },
      tally: tallies[i],
    }));
    const summary = summarizeDifference(counted);
    return {
      schema: "precision-lens-diff/1",
      tool: { name: "precision-lens", version },
      input: { before: pair.before, after: pair.after },
      settings: { view, strict, seed },
      unknown: pair.unknown,
      ...summary,
      delta: deltaCosts(summary.tensors, sample, zstdUnknown),
      skipped: pair.skipped,
    };
  } finally {
    bar.stop();
  }
}

async function resumeLog(pair: CheckpointPair, { resume, view, strict }: DiffOptions) {
  if (resume === undefined) return null;
  const { fileIdentities, ResumeLog } = await import("../source/resume-log.js");
  return new ResumeLog<DifferenceTallyJson>(resume, {
    version,
    command: "diff",
    settings: { before: pair.before, after: pair.after, view: view ?? null, strict: strict ?? false },
    files: fileIdentities(pair.files),
  });
}
