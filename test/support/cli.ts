import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** The built command line: `npm test` builds it first. */
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** What a shell would tell of a command. */
export interface Ran {
  /** The exit code; 128 and the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command line without what this process has in its environment of colours and Node's options. */
export function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  return spawn(process.execPath, [main, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export function ended(child: ChildProcess): Promise<Ran> {
  const text = { stdout: "", stderr: "" };
  for (const of of ["stdout", "stderr"] as const) {
    child[of]!.setEncoding("utf8").on("data", (piece: string) => {
      text[of] += piece;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ status: code ?? 128 + constants.signals[signal!], ...text }),
    );
  });
}

/** Runs the command line to its end. */
export function run(args: readonly string[], env?: Record<string, string>): Promise<Ran> {
  return ended(start(args, env));
}

/** Runs it, expects it to succeed without a word on stderr, and gives its stdout. */
export async function output(...args: string[]): Promise<string> {
  const ran = await run(args);
  expect(ran).toEqual({ status: 0, stdout: ran.stdout, stderr: "" });
  return ran.stdout;
}

/** Expects exit code 2 and, but for this very sentence on stderr, silence. */
export async function expectRefusal(
  args: readonly string[],
  file: string,
  expected: string,
  found: string,
): Promise<void> {
  const sentence = `precision-lens: ${file}: expected ${expected}, found ${found}\n`;
  expect(await run(args)).toEqual({ status: 2, stdout: "", stderr: sentence });
}

/** Expects exit code 2, nothing on stdout, and on stderr what is wrong with the command line, with a hint. */
export async function expectUsageError(args: readonly string[], message: string | RegExp): Promise<void> {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: "" });
  const [error, ...rest] = stderr.split("\n");
  expect(error).toMatch(message);
  expect(error).toMatch(/^error: /);
  expect(["", "(--help shows what there is)\n"]).toContain(rest.join("\n"));
}
