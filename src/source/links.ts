import { open } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The text of a link into a Hugging Face hub cache. */
const linkText = /^(?:\.\.\/){1,4}blobs\/[\w.-]{1,128}\s*$/;

const longest = 256;

/**
 * Resolves a link of a hub cache that was copied as text (by a file system, an archive or a checkout without links).
 * Returns any other path, or one that cannot be read, unchanged.
 */
export async function followed(path: string): Promise<string> {
  if (!/[\\/]snapshots[\\/]/.test(path)) return path;
  try {
    const file = await open(path);
    try {
      if ((await file.stat()).size > longest) return path;
      const text = (await file.readFile("utf8")).toString();
      return linkText.test(text) ? join(dirname(path), text.trim()) : path;
    } finally {
      await file.close();
    }
  } catch {
    // Opening it will report the error.
    return path;
  }
}
