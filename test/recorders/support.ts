import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { readTensors } from "../support/recorded.js";
import { python } from "../support/requirements.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A tensor as torch held it, told without the recorder's code. */
export interface Held {
  /** Torch's name, such as `float32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The bytes of its elements, in hex. */
  readonly bits: string;
}

export type State = Readonly<Record<string, Held>>;

/** What `train.py` tells of a training. */
export interface Trained {
  readonly states: readonly State[];
  readonly end: State;
  readonly bf16: State;
  readonly recorded: readonly number[];
}

const environment = {
  ...process.env,
  PYTHONPATH: here("../../recorders"),
  PYTHONDONTWRITEBYTECODE: "1",
  OMP_NUM_THREADS: "1",
};

/** Runs a Python file beside this one; resolves to its output. */
export async function runPython(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(python, [here(file), ...args], {
    env: environment,
    maxBuffer: 2 ** 28,
  });
  return stdout;
}

/** What `server.py` answers. */
interface Answer {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** `server.py`, for the trainings of all test files in this process. */
class Server {
  readonly #process = spawn(python, [here("server.py")], { env: environment });
  readonly #asked: Asked[] = [];

  constructor() {
    // It ends with its stdin, which ends with this process: the files of a group share it, since to import torch takes
    // longer than most trainings.
    this.#process.unref();
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      const { number, result, error } = JSON.parse(line) as Answer;
      if (error === undefined) this.#asked[number].resolve(result);
      else this.#asked[number].reject(new Error(error));
    });
    let told = "";
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    // What was answered is settled: rejecting it changes nothing.
    this.#process.on("close", () => {
      for (const { reject } of this.#asked) reject(new Error(`server.py ended: ${told}`));
    });
  }

  ask(line: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#process.stdin.write(`${JSON.stringify(line)}\n`);
    });
  }
}

let server: Server | null = null;

/**
 * Runs a scenario of `train.py`, which records into the folder. Warnings of Python are errors, but for `lenient`.
 */
export async function train<T = Trained>(
  scenario: string,
  folder: string,
  options: object = {},
  { env = {}, lenient = false }: { env?: Record<string, string>; lenient?: boolean } = {},
): Promise<T> {
  server ??= new Server();
  return (await server.ask({ scenario, folder, options, env, lenient })) as T;
}

/** The bytes of every tensor of a file, in hex. */
export function bitsIn(path: string): Record<string, string> {
  const tensors = readTensors(path).map(({ name, data }) => [name, Buffer.from(data as Uint8Array)] as const);
  return Object.fromEntries(tensors.map(([name, data]) => [name, data.toString("hex")]));
}

/** The bytes of some of the tensors that torch held, in hex. */
export function bitsOf(state: State, names = Object.keys(state)): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, state[name].bits]));
}

export function float32(hex: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
}

/** The metadata of a file, written apart from `src/source/`. */
export function metadataOf(file: Buffer): Record<string, string> {
  return JSON.parse(file.toString("utf8", 8, 8 + Number(file.readBigUInt64LE(0)))).__metadata__;
}

/** How many 32-bit words of two tensors differ. */
export function differing(a: string, b: string): number {
  expect(a).toHaveLength(b.length);
  let count = 0;
  for (let i = 0; i < a.length; i += 8) if (a.slice(i, i + 8) !== b.slice(i, i + 8)) count++;
  return count;
}
