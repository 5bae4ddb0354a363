import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { InputError, quote } from "../source/input-error.js";
import { temporaryName } from "../source/temporary-name.js";

/**
 * Refuses an output path that could not or should not be written, before the work that would be lost.
 *
 * @param weights whether it is weights that are to be written.
 * @throws InputError if the folder does not exist or is not writable, if the path is a folder, or if it is named as
 *   weights are, which other outputs must never replace.
 */
export function expectWritable(path: string, weights = false): void {
  if (!weights && /\.safetensors(\.index\.json)?$/.test(path)) {
    throw new InputError(path, "the name of an output", "that of a safetensors file");
  }
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(path, `its folder ${folder} to exist`, "no such folder");
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(path, "the name of a file to write", "a folder");
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new InputError(path, `its folder ${folder} to be writable`, "one that is not");
  }
}

/**
 * Refuses outputs that would take the place of an input, by whatever path or link, and two outputs that are one file.
 *
 * @param inputs the files that were opened: of a folder or an index its shards.
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
 * What makes two paths one file: device and inode of what they lead to, and the folder and name of where they are, for a
 * file that is not there yet. Null for what is no file: a pipe or a device is written to as it is.
 */
function identity(path: string): string[] | null {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) return null;
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  return [
    ...(there ? [`${there.dev} ${there.ino}`] : []),
    ...(folder ? [`${folder.dev} ${folder.ino} ${basename(path)}`] : []),
  ];
}

/**
 * Writes a file whole or not at all: under a temporary name in the same folder, then renamed. A pipe or device is
 * written to as it is: a rename would put a file in its place.
 *
 * @throws InputError if the system refuses.
 */
export function writeWhole(path: string, text: string | Uint8Array): void {
  const temporary = temporaryName(path);
  const there = statSync(path, { throwIfNoEntry: false });
  try {
    if (there && !there.isFile()) {
      writeFileSync(path, text);
    } else {
      writeFileSync(temporary, text, { flag: "wx" });
      renameSync(temporary, path);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new InputError(
      path,
      "a file that can be written",
      (error as NodeJS.ErrnoException).code ?? "an error",
    );
  }
}
