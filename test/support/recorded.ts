import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";

/** The recorded runs under test/data/recorded. */
export const recordedWindows = ["rlvr", "sft", "opd"].flatMap((run) => [`${run}/early`, `${run}/late`]);

/** The folder of a window, such as `rlvr/early`. */
export function recorded(window: string): string {
  return fileURLToPath(new URL(`../data/recorded/${window}`, import.meta.url));
}

/** The tensors of a trusted safetensors file, in the order of their data. */
export function readTensors(path: string): TensorToWrite[] {
  const file = readFileSync(path);
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__, ...entries } = JSON.parse(file.toString("utf8", 8, dataStart));
  return Object.keys(entries).map((name) => {
    const { dtype, shape, data_offsets } = entries[name];
    const [begin, end] = data_offsets;
    return { name, dtype, shape, data: file.subarray(dataStart + begin, dataStart + end) };
  });
}

/** Writes a recorded run of some of a window's tensors, selected by index, to a new folder; returns its path. */
export async function writeExcerpt(
  folder: string,
  window: string,
  mine: (index: number) => boolean,
): Promise<string> {
  const read = (name: string) => readTensors(join(recorded(window), name));
  const weights = read("base.safetensors").filter((_, i) => mine(i));
  const names = new Set(weights.map(({ name }) => name));
  const ofMine = ({ name }: TensorToWrite) => names.has(name.slice(name.indexOf("/") + 1));
  await writeRun(folder, weights, read("updates.safetensors").filter(ofMine));
  const gradients = read("gradients.safetensors").filter(ofMine);
  await writeFile(join(folder, "gradients.safetensors"), encodeSafetensors(gradients));
  return folder;
}

/** An F32 tensor of these numbers. */
export function float32(name: string, numbers: ArrayLike<number>): TensorToWrite {
  return { name, dtype: "F32", shape: [numbers.length], data: Float32Array.from(numbers) };
}

/** Writes a recorded run to a new folder and returns its path. */
export async function writeRun(
  folder: string,
  weights: readonly TensorToWrite[],
  updates: readonly TensorToWrite[],
): Promise<string> {
  await mkdir(folder);
  await writeFile(join(folder, "base.safetensors"), encodeSafetensors(weights));
  await writeFile(join(folder, "updates.safetensors"), encodeSafetensors(updates));
  return folder;
}
