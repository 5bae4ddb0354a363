import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { plural } from "../format/plural.js";
import { InputError } from "./input-error.js";
import { systemError } from "./system-error.js";

/** What a file was when it was first looked at. */
export interface FileIdentity {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Device, inode, size and time: another file under the same path, or one written to, has another one. */
  readonly id: string;
}

/** @throws InputError if there is nothing that can be looked at. */
export function fileIdentity(path: string): FileIdentity {
  try {
    return identityOf(path, statSync(path));
  } catch (error) {
    throw systemError(path, "a file that can be read", error);
  }
}

/** The same of a file that was looked at. */
export function identityOf(path: string, { dev, ino, size, mtimeMs }: Stats): FileIdentity {
  return { path, size, modified: mtimeMs, id: [dev, ino, size, mtimeMs].join() };
}

/** Files that are open for reading, few at a time however many there are: the one not read for longest is closed for the next. */
export class OpenFiles {
  readonly #limit: number;
  /** Least recently read first. */
  readonly #descriptors = new Map<string, number>();

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** Valid until the next call. @throws InputError if the file is another one. */
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

/** Reads files that do not change while they are read, at once; for a thread of its own. */
export class FileReader {
  readonly #files: OpenFiles;

  constructor(limit = 8) {
    this.#files = new OpenFiles(limit);
  }

  /** @throws InputError if the file is another one, or does not give all bytes. */
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

/** A file that ended after so many of the bytes asked for. */
export function cutOff(path: string, bytes: number, position: number, done: number): InputError {
  return new InputError(
    path,
    `${plural(bytes, "byte")} from byte ${position} on`,
    `the end of the file after ${done} (cut off since it was opened?)`,
  );
}
