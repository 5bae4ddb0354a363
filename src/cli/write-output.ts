import { accessSync, constants, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { InputError, quote } from "../source/input-error.js";
import { statIfThere, systemError } from "../source/system-error.js";
import { temporaryName } from "../source/temporary-name.js";

/**
 * Rejects an output path that cannot or must not be written, before work is lost.
 *
 * @param weights whether the output is weights.
 * @throws InputError if the folder does not exist or is not writable, if the path is a folder, or if it is named like
 *   weights, which other outputs must never replace.
 */
export function expectWritable(path: string, weights = false): void {
  if (!weights && /\.safetensors(\.index\.json)?$/.test(path)) {
    throw new InputError(path, "the name of an output", "that of a safetensors file");
  }
  const folder = dirname(path);
  if (!statIfThere(folder)?.isDirectory()) {
    throw new InputError(path, `its folder ${folder} to exist`, "no such folder");
  }
  if (statIfThere(path)?.isDirectory()) {
    throw new InputError(path, "the name of a file to write", "a folder");
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new InputError(path, `its folder ${folder} to be writable`, "one that is not");
  }
}

/**
 * The same for an output that cannot be written from beginning to end, as a pipe or device would take it: under a
 * temporary name, then renamed.
 */
export function expectReplaceable(path: string, weights = false): void {
  expectWritable(path, weights);
  if (statIfThere(path)?.isFile() === false) {
    throw new InputError(path, "the name of a file to write", "a pipe, socket or device");
  }
}

/**
 * Rejects outputs that would replace an input, by any path or link, and two outputs that are the same file.
 *
 * @param inputs the opened files, including the shards of a folder or index.
 * @throws InputError
 */
export function expectApart(outputs: readonly string[], inputs: readonly string[]): void {
  const inputOf = new Map(inputs.flatMap((path) => (identity(path) ?? []).map((id) => [id, path] as const)));
  const outputOf = new Map<string, string>();
  for (const path of outputs) {
    for (const id of identity(path) ?? []) {
      const input = inputOf.get(id);
      if (input !== undefined) {
        throw new InputError(path, "another file than the inputs", `the input ${quote(input)}`);
      }
      const twin = outputOf.get(id);
      if (twin !== undefined) {
        throw new InputError(path, "a file of its own for each output", `the same file as ${quote(twin)}`);
      }
      outputOf.set(id, path);
    }
  }
}

/**
 * The identity of a path: device and inode of its target, and folder and name for a file that does not exist yet. Null
 * for a pipe or a device, which are written to directly.
 */
function identity(path: string): string[] | null {
  const there = statIfThere(path);
  if (there && !there.isFile()) return null;
  const folder = statIfThere(dirname(path));
  return [
    ...(there ? [`${there.dev} ${there.ino}`] : []),
    ...(folder ? [`${folder.dev} ${folder.ino} ${basename(path)}`] : []),
  ];
}

/**
 * Writes a file completely or not at all: under a temporary name in the same folder, then renamed. A pipe or device is
 * written to directly, because a rename would replace it.
 *
 * @throws InputError if writing fails.
 */
export function writeWhole(path: string, text: string | Uint8Array): void {
  const temporary = temporaryName(path);
  const there = statIfThere(path);
  try {
    if (there && !there.isFile()) {
      writeFileSync(path, text);
    } else {
      writeFileSync(temporary, text, { flag: "wx" });
      renameSync(temporary, path);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw systemError(path, "a file that can be written", error, "write");
  }
}
