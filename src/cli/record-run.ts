import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { metadataOf, type RecordedTensor, type RunRecorder, tensorsOf } from "../learn/recorded-run.js";
import type { LearnRun } from "../lens/learning/learning.js";
import { encodeSafetensors } from "../source/safetensors/write.js";
import { systemError } from "../source/system-error.js";
import { temporaryName } from "../source/temporary-name.js";

/**
 * Writes a run as the folder of a recorded run: base, updates, gradients, and its outcome in outcome.json. It is
 * written under a temporary name and renamed, so that the folder is complete or absent.
 *
 * @param folder a new or empty folder.
 * @throws InputError if writing fails.
 */
export function writeRecordedRun(
  folder: string,
  base: ArrayLike<number>,
  { updates, gradients }: RunRecorder,
  run: LearnRun,
): void {
  const temporary = temporaryName(folder);
  const metadata = metadataOf(run);
  const discard = () => rmSync(temporary, { recursive: true, force: true });
  process.once("exit", discard);
  try {
    mkdirSync(temporary);
    const write = (name: string, contents: string | Uint8Array) =>
      writeFileSync(join(temporary, name), contents);
    write("base.safetensors", fp32File(tensorsOf(base), { of: "the base of precision-lens learn" }));
    write("updates.safetensors", fp32File(updates, metadata));
    write("gradients.safetensors", fp32File(gradients, metadata));
    write("outcome.json", `${JSON.stringify(outcomeOf(run), null, 2)}\n`);
    renameSync(temporary, folder);
  } catch (error) {
    throw systemError(folder, "a folder that can be written", error, "write");
  } finally {
    discard();
    process.off("exit", discard);
  }
}

function fp32File(
  tensors: readonly RecordedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  return encodeSafetensors(
    tensors.map((tensor) => ({ ...tensor, dtype: "F32" })),
    metadata,
  );
}

/** The outcome of the run, in the format that `compare` reads. */
function outcomeOf({ base, outcome, heldOut }: LearnRun) {
  const { klForward, klReverse } = outcome;
  const divergence = klForward === null ? {} : { klForward, klReverse };
  return {
    task: "two numbers below 100 and their sum",
    base: { prompts: 10_000, passAt: base.passAt },
    run: { prompts: 10_000, passAt: outcome.passAt, ...divergence },
    heldOut: heldOut.map((task) => ({
      name: task.name,
      base: { prompts: 10_000, passAt: task.base.passAt },
      run: { prompts: 10_000, passAt: task.outcome.passAt },
    })),
  };
}
