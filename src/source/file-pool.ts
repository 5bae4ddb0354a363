import { read } from "node:fs";
import { promisify } from "node:util";
import { cutOff, type FileIdentity, identityOf, OpenFiles } from "./file-reader.js";
import type { ByteSource } from "./safetensors/stored-tensor.js";
import { statFile, systemError } from "./system-error.js";

/** Reads files asynchronously, one read at a time, so that no file is closed during a read. */
export class FilePool {
  readonly #files: OpenFiles;
  /** The identity of every file when it was first opened. */
  readonly #identities = new Map<string, FileIdentity>();
  #lastTurn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(limit = 8) {
    this.#files = new OpenFiles(limit);
  }

  /** @throws InputError if the file cannot be read. */
  async source(path: string): Promise<ByteSource> {
    const file = this.#identities.get(path) ?? (await this.#identify(path));
    await this.#inTurn(file, async () => undefined);
    return {
      name: path,
      size: file.size,
      read: (position, into) =>
        this.#inTurn(file, (descriptor) => readFully(descriptor, path, position, into)),
      identity: file.id,
    };
  }

  /** Closes the files, after the reads under way. Later reads throw. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastTurn;
    this.#files.close();
  }

  async #identify(path: string): Promise<FileIdentity> {
    const file = identityOf(path, await statFile(path));
    this.#identities.set(path, file);
    return file;
  }

  #inTurn<T>(file: FileIdentity, use: (descriptor: number) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${file.path} was closed`));
    const turn = this.#lastTurn.then(() => use(this.#files.descriptor(file)));
    this.#lastTurn = turn.catch(() => undefined);
    return turn.catch((error) => {
      throw systemError(file.path, "a file that can be read", error);
    });
  }
}

/** The maximum bytes per system call: far below the limit of 2^31. */
const mostBytes = 2 ** 24;

const readSome = promisify(read);

async function readFully(
  descriptor: number,
  path: string,
  position: number,
  into: Uint8Array,
): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const bytes = Math.min(into.length - done, mostBytes);
    const { bytesRead } = await readSome(descriptor, into, done, bytes, position + done);
    if (bytesRead === 0) throw cutOff(path, into.length, position, done);
    done += bytesRead;
  }
}
