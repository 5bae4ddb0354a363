import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { plural } from "../format/plural.js";
import { InputError } from "./input-error.js";
import { systemError } from "./system-error.js";

/** The state of a file when it was first opened. */
export interface FileIdentity {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Device, inode, size and time: differs for another file at the same path, and after a write. */
  readonly id: string;
}

/** @throws InputError if there is no accessible file. */
export function fileIdentity(path: string): FileIdentity {
  try {
    return identityOf(path, statSync(path));
  } catch (error) {
    throw systemError(path, "a file that can be read", error);
  }
}

/** The same from a file's stats. */
export function identityOf(path: string, { dev, ino, size, mtimeMs }: Stats): FileIdentity {
  return { path, size, modified: mtimeMs, id: [dev, ino, size, mtimeMs].join() };
}

/** An LRU cache of open files: few are open at a time, however many there are. */
export class OpenFiles {
  readonly #limit: number;
  /** Least recently read first. */
  readonly #descriptors = new Map<string, number>();

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** Valid until the next call. @throws InputError if the file has changed. */
  descriptor(file: FileIdentity): number {
    let descriptor = this.#descriptors.get(file.path);
    if (descriptor === undefined) {
      const [oldest] = this.#descriptors;
      if (oldest !== undefined && this.#descriptors.size >= this.#limit) {
        this.#descriptors.delete(oldest[0]);
        closeSync(oldest[1]);
      }
      descriptor = openSync(file.path, "r");
      if (identityOf(file.path, fstatSync(descriptor)).id !== file.id) {
        closeSync(descriptor);
        throw new InputError(
          file.path,
          "the file as it was when it was opened",
          "another one, or one written to since",
        );
      }
    }
    this.#descriptors.delete(file.path);
    this.#descriptors.set(file.path, descriptor);
    return descriptor;
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}

/** Reads files synchronously, for worker threads. */
export class FileReader {
  readonly #files: OpenFiles;

  constructor(limit = 8) {
    this.#files = new OpenFiles(limit);
  }

  /** @throws InputError if the file has changed, or is too short. */
  read(file: FileIdentity, position: number, into: Uint8Array): void {
    try {
      const descriptor = this.#files.descriptor(file);
      for (let done = 0; done < into.length; ) {
        const read = readSync(descriptor, into, done, into.length - done, position + done);
        if (read === 0) throw cutOff(file.path, into.length, position, done);
        done += read;
      }
    } catch (error) {
      throw systemError(file.path, "a file that can be read", error);
    }
  }

  close(): void {
    this.#files.close();
  }
}

/** The error for a file that ended after `done` of the bytes to read. */
export function cutOff(path: string, bytes: number, position: number, done: number): InputError {
  return new InputError(
    path,
    `${plural(bytes, "byte")} from byte ${position} on`,
    `the end of the file after ${done} (cut off since it was opened?)`,
  );
}
