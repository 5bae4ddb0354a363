import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Streams } from "../../src/cli/streams.js";

/** The built command line: `npm test` builds it first. */
const built = new URL("../../dist/cli/", import.meta.url);
const mainScript = fileURLToPath(new URL("main.js", built));

/** The result of a command as a shell sees it. */
export interface Ran {
  /** The exit code; 128 plus the signal's number for a process ended by a signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A stream that records its input: a pipe, or a terminal of a given width. */
export class Captured extends Writable {
  text = "";
  readonly isTTY: boolean;

  constructor(readonly columns = 0) {
    super({ decodeStrings: false });
    this.isTTY = columns > 0;
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.text += text;
    done();
  }
}

/**
 * Runs a command line in this process, which saves the 0.2 s to start one. Use {@link runProcess} to test signals,
 * closed pipes and the exit of a process.
 */
export async function run(args: readonly string[], env: Streams["env"] = {}): Promise<Ran> {
  const [out, err] = [new Captured(), new Captured()];
  const status = await call(args, { out, err, env });
  return { status, stdout: out.text, stderr: err.text };
}

/** The same, with any streams. */
export async function call(args: readonly string[], streams: Streams): Promise<number> {
  const program = args[0] === "diff" ? "diff-alone.js" : "all-commands.js";
  const { main } = await import(new URL(program, built).href);
  return main(["node", "precision-lens", ...args], streams);
}

/** Starts the command line as a process, without this one's environment variables for colours and Node's options. */
export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(process.execPath, [mainScript, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // End a hanging process, with a status that no test expects.
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
}

export function ended(child: ChildProcess): Promise<Ran> {
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ status: code ?? 128 + constants.signals[signal!], ...text }),
    );
  });
}

/** Runs the command line to its end as a process. */
export function runProcess(args: readonly string[], env?: Record<string, string>): Promise<Ran> {
  return ended(start(args, env));
}

/** Runs it, expects success and an empty stderr, and returns stdout. */
export async function output(...args: string[]): Promise<string> {
  const ran = await run(args);
  expect(ran).toEqual({ status: 0, stdout: ran.stdout, stderr: "" });
  return ran.stdout;
}

/** Expects exit code 2, exactly this sentence on stderr, and an empty stdout. */
export async function expectRefusal(
  args: readonly string[],
  file: string,
  expected: string,
  found: string,
): Promise<void> {
  const sentence = `precision-lens: ${file}: expected ${expected}, found ${found}\n`;
  expect(await run(args)).toEqual({ status: 2, stdout: "", stderr: sentence });
}

/** Expects exit code 2, an empty stdout, and on stderr the error of the command line with a hint. */
export async function expectUsageError(args: readonly string[], message: string | RegExp): Promise<void> {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: "" });
  const [error, ...rest] = stderr.split("\n");
  expect(error).toMatch(message);
  expect(error).toMatch(/^error: /);
  expect(rest.join("\n")).toMatch(/^(?:Run `precision-lens (?:\S+ )?--help`\n)?$/);
}
