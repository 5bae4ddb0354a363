import { open } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A link into the cache of the Hugging Face hub, as its text. */
const target = /^(?:\.\.\/){1,4}blobs\/[\w.-]{1,128}\s*$/;

const longest = 256;

/**
 * The file that a path of a hub cache stands for, where the link to it was copied as its text (by a file system, an archive
 * or a checkout without links); any other path as it is, and one that cannot be read too.
 */
export async function followed(path: string): Promise<string> {
  if (!/[\\/]snapshots[\\/]/.test(path)) return path;
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).size > longest) return path;
      const text = (await file.readFile("utf8")).toString();
      return target.test(text) ? join(dirname(path), text.trim()) : path;
    } finally {
      await file.close();
    }
  } catch {
    // What is wrong with it is said by whoever opens it.
    return path;
  }
}
