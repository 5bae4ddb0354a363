import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { InputError } from "./input-error.js";

const meanings: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "nothing there"],
  ["EACCES", "no permission to read it"],
  ["EPERM", "no permission to read it"],
  ["EISDIR", "a directory"],
  ["ENOTDIR", "a path that leads through a file"],
  ["ENAMETOOLONG", "a name that is too long"],
  ["ELOOP", "links that lead in a circle"],
  // Thrown by Node before the system sees the path.
  ["ERR_INVALID_ARG_VALUE", "a path with a null character"],
]);

/** The {@link InputError} for an error of the file system; returns any other error unchanged. */
export function systemError(path: string, expected: string, error: unknown): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  const meaning = meanings.get(code ?? "");
  if (meaning === undefined && errno === undefined) return error;
  return new InputError(path, expected, meaning ?? `the system error ${code}`);
}

/** @throws InputError if the path does not exist or is not accessible. */
export async function statPath(path: string, expected: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw systemError(path, expected, error);
  }
}

/** @throws InputError for anything but a regular file: opening a pipe, for example, would wait for its writer. */
export async function statFile(path: string): Promise<Stats> {
  const stats = await statPath(path, "a file");
  if (stats.isFile()) return stats;
  throw new InputError(path, "a file", stats.isDirectory() ? "a directory" : "a pipe, socket or device");
}
