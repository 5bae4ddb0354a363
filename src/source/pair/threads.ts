import { readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** Below this size, in bytes, starting threads takes longer than comparing. */
export const worthThreads = 2 ** 26;

/** More threads than this gain nothing: they wait for memory. */
const mostThreads = 8;

/**
 * The number of threads to use, including this one, for checkpoints at these paths: one per core if they are large.
 * Opens no file, so that threads can start before the contents are known.
 */
export function threadsWorthStarting(paths: readonly string[]): number {
  const bytes = paths.reduce((sum, path) => sum + bytesAt(path), 0);
  return bytes < worthThreads ? 1 : Math.min(availableParallelism(), mostThreads);
}

/**
 * Bytes of the safetensors files that a path may stand for; none if it does not exist, which is reported
 * elsewhere.
 */
function bytesAt(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isFile() && !path.endsWith(".json")) return stats.size;
    const folder = stats.isDirectory() ? path : dirname(path);
    const shards = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
    return shards.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } catch {
    return 0;
  }
}
