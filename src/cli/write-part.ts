import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { indicesOf, listed, type Part } from "../lens/shard/part.js";
import { InputError } from "../source/input-error.js";
import { nameNew } from "../source/name-new.js";
import { statIfThere, systemError } from "../source/system-error.js";
import { temporaryName } from "../source/temporary-name.js";

/**
 * Rejects a file with the result of another shard: two shards that write the same file would lose one result.
 *
 * @throws InputError
 */
export function expectOwnFile(path: string, part: Part): void {
  const there = partIn(path);
  if (there === null || String(there.index) === String(part.index)) return;
  const which = (shardPart: Part) => `shard ${listed(indicesOf(shardPart))} of ${shardPart.of}`;
  throw new InputError(path, `a file of its own for ${which(part)}`, `the result of ${which(there)}`);
}

/** The part whose result a file holds; null if there is none. A truncated result has no part and may be replaced. */
function partIn(path: string): Part | null {
  if (!statIfThere(path)?.isFile()) return null;
  try {
    const { part } = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(part?.ranges) ? part : null;
  } catch {
    return null;
  }
}

/**
 * Writes the result of a shard completely or not at all, and never over that of another shard, even a concurrent one.
 *
 * @throws InputError if that exists, or if writing fails.
 */
export function writePart(path: string, text: string, part: Part): void {
  const temporary = temporaryName(path);
  const there = statIfThere(path);
  try {
    // A pipe or device is written to directly.
    if (there && !there.isFile()) {
      writeFileSync(path, text);
      return;
    }
    writeFileSync(temporary, text, { flag: "wx" });
    if (nameNew(temporary, path)) return;
    expectOwnFile(path, part);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw systemError(path, "a file that can be written", error, "write");
  }
}
