import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { output, run } from "../support/cli.js";

/** A result as it was written, without what parts of a cluster may have of their own. */
export function comparable(text: string): string {
  const { engine: _, tool: __, ...rest } = JSON.parse(text);
  return JSON.stringify(rest);
}

/** Runs a command in so many shards, and gives the files of their results. */
export async function runShards(args: readonly string[], shards: number, folder: string): Promise<string[]> {
  const files: string[] = [];
  for (let i = 0; i < shards; i++) {
    const file = join(folder, `${i}-of-${shards}.json`);
    expect(await run([...args, "--quiet", "--shard", `${i}/${shards}`, "--json", file])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    files.push(file);
  }
  return files;
}

/** Expects that a command gives the same in shards, merged, as at once, but for engine and tool. */
export async function expectSame(args: readonly string[], shards: number, folder: string): Promise<void> {
  const whole = await output(...args, "--quiet", "--json", "-");
  const files = await runShards(args, shards, folder);
  const merged = await output("merge", ...files.reverse(), "--quiet", "--json", "-");
  expect(comparable(merged)).toBe(comparable(whole));
}

export function jsonOf(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}
