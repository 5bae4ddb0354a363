import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { statIfThere, systemError } from "../source/system-error.js";
import { temporaryName } from "../source/temporary-name.js";
import type { Output } from "./streams.js";
import { expectWritable } from "./write-output.js";

/** Writes an output piece by piece to a stream, with back pressure. */
export async function writePieces(out: Output, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    // A piece may be reused memory, so each is written before the next is generated, which is a fifth faster than
    // copying (measured). A stream reports its own failure; nothing is written to it afterwards.
    await new Promise<void>((resolve) => out.write(piece, (error) => error ?? resolve()));
  }
}

/**
 * The same to a file, under a temporary name until complete; a pipe or device is written to directly.
 *
 * @throws InputError if writing fails.
 */
export function writePiecesTo(path: string, pieces: Iterable<Uint8Array>): void {
  expectWritable(path, true);
  const isFile = statIfThere(path)?.isFile() ?? true;
  const destination = isFile ? temporaryName(path) : path;
  const discard = () => {
    if (isFile) rmSync(destination, { force: true });
  };
  process.once("exit", discard);
  try {
    const file = openSync(destination, isFile ? "wx" : "w");
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
      }
    } finally {
      closeSync(file);
    }
    if (isFile) renameSync(destination, path);
  } catch (error) {
    discard();
    throw systemError(path, "a file that can be written", error, "write");
  } finally {
    process.off("exit", discard);
  }
}
