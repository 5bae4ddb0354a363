import type { Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { plural } from "../../format/plural.js";
import { InputError } from "../input-error.js";
import { statFile, systemError } from "../system-error.js";
import type { ByteSource } from "./stored-tensor.js";

/**
 * Files that are open for reading, at most `limit` at a time however many there are: the one that has waited
 * longest is closed for the next. Reads take turns, so that none loses its file.
 */
export class FilePool {
  readonly #limit: number;
  /** Least recently read first. */
  readonly #handles = new Map<string, FileHandle>();
  /** What every file was when it was first opened. */
  readonly #identities = new Map<string, string>();
  #lastTurn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** @throws InputError if there is no file that can be read. */
  async source(path: string): Promise<ByteSource> {
    const { size } = await this.#inTurn(path, (handle) => handle.stat());
    const read = (position: number, into: Uint8Array) =>
      this.#inTurn(path, (handle) => readFully(handle, path, position, into));
    return { name: path, size, read, identity: this.#identities.get(path)! };
  }

  /** Closes the files, after the reads under way. Later reads throw. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastTurn;
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.all(handles.map((handle) => handle.close()));
  }

  #inTurn<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${path} was closed`));
    const turn = this.#lastTurn.then(async () => use(await this.#handle(path)));
    this.#lastTurn = turn.catch(() => undefined);
    return turn.catch((error) => {
      throw systemError(path, "a file that can be read", error);
    });
  }

  async #handle(path: string): Promise<FileHandle> {
    const handle = this.#handles.get(path) ?? (await this.#open(path));
    this.#handles.delete(path);
    this.#handles.set(path, handle);
    return handle;
  }

  async #open(path: string): Promise<FileHandle> {
    const identity = identityOf(await statFile(path));
    if (identity !== (this.#identities.get(path) ?? identity)) {
      throw new InputError(
        path,
        "the file as it was when it was opened",
        "another one, or one written to since",
      );
    }
    this.#identities.set(path, identity);
    const [oldest] = this.#handles;
    if (oldest !== undefined && this.#handles.size >= this.#limit) {
      this.#handles.delete(oldest[0]);
      await oldest[1].close();
    }
    return open(path);
  }
}

function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs].join();
}

/** Bytes that one call asks the system for: far below its limit of 2^31. */
const mostBytes = 2 ** 24;

async function readFully(
  handle: FileHandle,
  path: string,
  position: number,
  into: Uint8Array,
): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(
      into,
      done,
      Math.min(into.length - done, mostBytes),
      position + done,
    );
    if (bytesRead === 0) {
      const expected = `${plural(into.length, "byte")} from byte ${position} on`;
      throw new InputError(
        path,
        expected,
        `the end of the file after ${done} (cut off since it was opened?)`,
      );
    }
    done += bytesRead;
  }
}
