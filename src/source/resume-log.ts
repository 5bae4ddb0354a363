import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { type FileIdentity, fileIdentity } from "./file-reader.js";
import { InputError, quote } from "./input-error.js";
import { nameNew } from "./name-new.js";
import { systemError } from "./system-error.js";
import { temporaryName } from "./temporary-name.js";

/** Increase when the fields of a part change: counts with different fields must not be added. */
const schema = "precision-lens-resume/3";

/** Identifies a run: another run must not continue from its counts. */
export interface RunIdentity {
  readonly version: string;
  readonly command: string;
  readonly settings: unknown;
  readonly files: readonly SavedFile[];
}

/** Without device and inode, which differ if another machine of a cluster continues. */
type SavedFile = Omit<FileIdentity, "id">;

/** The current state of a run's files, for its identity. */
export function fileIdentities(paths: readonly string[]): SavedFile[] {
  return paths.map((path) => {
    const { id: _, ...saved } = fileIdentity(path);
    return saved;
  });
}

/**
 * The counts of a long run, one line of JSON per completed part, so that a run can be resumed after an interruption at
 * any time. The first line identifies the run; every other line begins with a checksum of itself and the first line. A
 * truncated last line is ignored.
 */
export class ResumeLog<Part> {
  readonly #path: string;
  /** The first line. */
  readonly #head: string;
  readonly #parts: ReadonlyMap<string, Part>;

  /**
   * Begins the log, or reads an existing one.
   *
   * @throws InputError if the file is not such a log, or belongs to another run; it is left unchanged.
   */
  constructor(path: string, identity: RunIdentity) {
    this.#path = path;
    const text = readIfThere(path);
    if (text === null) {
      this.#parts = new Map();
      this.#head = JSON.stringify({ schema, ...identity });
      this.#begin();
      return;
    }
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const [head, ...lines] = whole.split("\n").slice(0, -1);
    expectIdentity(path, parsed(path, head), identity);
    this.#head = head;
    this.#parts = new Map(
      lines.map((line) => {
        const json = line.slice(line.indexOf(" ") + 1);
        if (line !== sealed(head, json)) throw notProgress(path);
        return parsed(path, json) as [string, Part];
      }),
    );
    if (whole !== text) truncateSync(path, Buffer.byteLength(whole));
  }

  /** Writes to a temporary name first, so that a log never exists without its first line. */
  #begin(): void {
    const temporary = temporaryName(this.#path);
    try {
      writeFileSync(temporary, `${this.#head}\n`, { flag: "wx" });
      if (nameNew(temporary, this.#path)) return;
    } catch (error) {
      rmSync(temporary, { force: true });
      throw systemError(this.#path, "a file that can be written", error, "write");
    }
    rmSync(temporary, { force: true });
    throw new InputError(
      this.#path,
      "a file of its own for the progress of each run",
      "that of one that began at the same time",
    );
  }

  /** The counts of a part; null if it is not complete. */
  part(name: string): Part | null {
    return this.#parts.get(name) ?? null;
  }

  /** @throws InputError if writing fails. */
  add(name: string, part: Part): void {
    try {
      appendFileSync(this.#path, `${sealed(this.#head, JSON.stringify([name, part]))}\n`);
    } catch (error) {
      throw systemError(this.#path, "room for the progress", error, "write");
    }
  }
}

/** Removes the log of a completed run, once its result is written. */
export function removeLog(path: string): void {
  rmSync(path, { force: true });
}

/** A line, with its checksum, of the log with this first line. */
export function sealed(head: string, json: string): string {
  return `${createHash("sha256").update(`${head}\n${json}`).digest("hex").slice(0, 16)} ${json}`;
}

function notProgress(path: string): InputError {
  return new InputError(path, "the progress that --resume saved", "something else");
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw systemError(path, "the progress of a run", error);
  }
}

function parsed(path: string, line = ""): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw notProgress(path);
  }
}

function expectIdentity(path: string, first: unknown, now: RunIdentity): void {
  const saved = first as Partial<RunIdentity> & { schema?: unknown };
  const form = typeof saved === "object" && saved !== null ? saved.schema : null;
  if (typeof form === "string" && /^precision-lens-resume\/\d+$/.test(form) && form !== schema) {
    throw new InputError(
      path,
      `progress in the form ${quote(schema)}`,
      `that of another build, ${quote(form)}`,
    );
  }
  if (form !== schema || !Array.isArray(saved.files)) throw notProgress(path);
  const refuse = (found: string) => {
    throw new InputError(path, "the progress of this very run", found);
  };
  if (saved.version !== now.version) refuse(`that of release ${quote(String(saved.version))}`);
  if (saved.command !== now.command) refuse(`that of the command ${quote(String(saved.command))}`);
  if (JSON.stringify(saved.settings) !== JSON.stringify(now.settings))
    refuse("that of one with other settings");
  const same = (a: SavedFile, b: SavedFile | undefined) =>
    a.path === b?.path && a.size === b.size && a.modified === b.modified;
  if (saved.files.length !== now.files.length) refuse("that of one with other files");
  const changed = now.files.find((file, i) => !same(file, saved.files?.[i]));
  if (changed)
    refuse(`that of one in which ${quote(changed.path)} was another file, or had not been written to since`);
}
