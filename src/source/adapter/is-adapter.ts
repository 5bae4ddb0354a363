import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The file that identifies an adapter folder. */
export const configName = "adapter_config.json";

/** The files that hold an adapter, the first one first. */
export const weightNames = ["adapter_model.safetensors", "adapter_model.bin"];
const checkpointNames = /^(model|pytorch_model).*\.(safetensors|bin)(\.index\.json)?$/;

/**
 * Whether a path is that of a LoRA adapter: a folder with an `adapter_config.json` and no model of its own, or the adapter's file
 * in one.
 */
export async function isAdapter(path: string): Promise<boolean> {
  const folder = await adapterFolder(path);
  return folder !== null;
}

/** The folder of the adapter that a path leads to; null where it leads to none. */
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
