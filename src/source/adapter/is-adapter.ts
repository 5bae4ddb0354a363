import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The file that identifies an adapter folder. */
export const configName = "adapter_config.json";

/** The files that may hold an adapter, in order of preference. */
export const weightNames = ["adapter_model.safetensors", "adapter_model.bin"];
const checkpointNames = /^(model|pytorch_model).*\.(safetensors|bin)(\.index\.json)?$/;

/**
 * Whether a path is a LoRA adapter: a folder with an `adapter_config.json` and without a model, or the adapter file in
 * such a folder.
 */
export async function isAdapter(path: string): Promise<boolean> {
  const folder = await adapterFolder(path);
  return folder !== null;
}

/** The folder of the adapter at a path, or null. */
export async function adapterFolder(path: string): Promise<string | null> {
  const stats = await stat(path).catch(() => null);
  if (stats === null) return null;
  if (!stats.isDirectory()) {
    const isPart = [...weightNames, configName].includes(basename(path));
    return isPart && (await isThere(join(dirname(path), configName))) ? dirname(path) : null;
  }
  if (!(await isThere(join(path, configName)))) return null;
  const names = await readdir(path).catch(() => []);
  return names.some((name) => checkpointNames.test(name)) ? null : path;
}

export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
