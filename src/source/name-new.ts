import { existsSync, linkSync, renameSync, rmSync } from "node:fs";

/** Error codes of file systems without hard links, such as mounted object stores. */
const noLinks = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV"]);

/**
 * Atomically renames a temporary file, only if nothing has the new name: of two processes that want the same name, one
 * gets it.
 *
 * @returns whether it got the name; else the temporary file is still there.
 */
export function nameNew(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!noLinks.has(code)) throw error;
    // Not atomic, but the best available on such a file system.
    if (existsSync(path)) return false;
    renameSync(temporary, path);
    return true;
  }
  rmSync(temporary, { force: true });
  return true;
}
