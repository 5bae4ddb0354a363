import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemError } from "../system-error.js";
import { temporaryName } from "../temporary-name.js";

/** A file or a folder of files, under a temporary name until it is complete. */
export class Output {
  readonly #path: string;
  readonly #temporary: string;
  readonly #folder: boolean;
  #file: number | null = null;

  /** @throws InputError if it cannot be created. */
  constructor(path: string, folder: boolean) {
    this.#path = path;
    this.#temporary = temporaryName(path);
    this.#folder = folder;
    process.on("exit", this.#discard);
    if (folder) this.#attempt(() => mkdirSync(this.#temporary));
  }

  /** Begins a file; the name is used in a folder only. */
  begin(name: string): void {
    this.#end();
    this.#file = this.#attempt(() =>
      openSync(this.#folder ? join(this.#temporary, name) : this.#temporary, "wx"),
    );
  }

  /** @throws InputError if writing fails, for example because the disk is full. */
  write(bytes: Uint8Array, position: number): void {
    this.#attempt(() => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file!, bytes, at, bytes.length - at, position + at);
      }
    });
  }

  /** Gives it its final name. @throws InputError if that fails; then nothing is left behind. */
  finish(): void {
    this.#end();
    this.#attempt(() => renameSync(this.#temporary, this.#path));
    process.off("exit", this.#discard);
  }

  /** Removes everything written. */
  abandon(): void {
    this.#end();
    this.#discard();
    process.off("exit", this.#discard);
  }

  #end(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw systemError(this.#path, "a place that can be written", error, "write");
    }
  }

  /** Also called when the process ends in the middle. */
  readonly #discard = (): void => {
    rmSync(this.#temporary, { force: true, recursive: true });
  };
}
