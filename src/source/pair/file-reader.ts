import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { InputError } from "../input-error.js";
import { systemError } from "../system-error.js";

/** What a file was when it was first looked at. */
export interface FileIdentity {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** @throws InputError if there is nothing that can be looked at. */
export function fileIdentity(path: string): FileIdentity {
  try {
    return identityOf(path, statSync(path));
  } catch (error) {
    throw systemError(path, "a file that can be read", error);
  }
}

function identityOf(path: string, { size, mtimeMs }: { size: number; mtimeMs: number }): FileIdentity {
  return { path, size, modified: mtimeMs };
}

/** Reads files that do not change while they are read, at once; for a thread of its own. Few are open at a time. */
export class FileReader {
  readonly #limit: number;
  /** Least recently read first. */
  readonly #open = new Map<string, number>();

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** @throws InputError if the file is another one, or does not give all bytes. */
  read(file: FileIdentity, position: number, into: Uint8Array): void {
    try {
      const descriptor = this.#descriptor(file);
      for (let done = 0; done < into.length; ) {
        const read = readSync(descriptor, into, done, into.length - done, position + done);
        if (read === 0) throw changed(file);
        done += read;
      }
    } catch (error) {
      throw systemError(file.path, "a file that can be read", error);
    }
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #descriptor(file: FileIdentity): number {
    let descriptor = this.#open.get(file.path);
    if (descriptor === undefined) {
      const [oldest] = this.#open;
      if (oldest !== undefined && this.#open.size >= this.#limit) {
        this.#open.delete(oldest[0]);
        closeSync(oldest[1]);
      }
      descriptor = openSync(file.path, "r");
      const { size, modified } = identityOf(file.path, fstatSync(descriptor));
      if (size !== file.size || modified !== file.modified) {
        closeSync(descriptor);
        throw changed(file);
      }
    }
    this.#open.delete(file.path);
    this.#open.set(file.path, descriptor);
    return descriptor;
  }
}

function changed({ path }: FileIdentity): InputError {
  return new InputError(
    path,
    "the file as it was when it was opened",
    "another one, or one written to since",
  );
}
