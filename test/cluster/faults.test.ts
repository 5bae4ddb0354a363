import { spawn } from "node:child_process";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { output, run, start } from "../support/cli.js";
import { float32 } from "../support/recorded.js";
import { comparable } from "./support.js";

const folder = temporaryFolder();
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Tensors whose comparison as fp16 takes a while: no fast twin rounds to it. */
function checkpoint(name: string, scale: number): string {
  const numbers = (tensor: number) =>
    Float32Array.from({ length: 50_000 }, (_, i) => scale + i * tensor * 1e-6);
  const tensors = Array.from({ length: 12 }, (_, i) => float32(`layers.${i}.w`, numbers(i)));
  return put(folder, name, encodeSafetensors(tensors));
}

describe("a shard that is killed", () => {
  const args = [
    "diff",
    checkpoint("a.safetensors", 1),
    checkpoint("b.safetensors", 1.001),
    "--view",
    "fp16",
    "--quiet",
  ];

  test("goes on from its progress, which no other shard takes", async () => {
    const [log, killed, other] = ["progress", "killed.json", "other.json"].map((name) => join(folder, name));
    const first = [...args, "--shard", "0/2", "--resume", log, "--json", killed];
    const child = start(first);
    const lines = () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length : 0);
    while (lines() < 4 && child.exitCode === null) await sleep(2);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    expect(existsSync(killed)).toBe(false);
    const { status, stderr } = await run([...args, "--shard", "1/2", "--resume", log, "--json", other]);
    expect([status, stderr]).toEqual([
      2,
      `precision-lens: ${log}: expected the progress of this very run, found that of one with other settings\n`,
    ]);
    await output(...first);
    expect(existsSync(log)).toBe(false);
    await output(...args, "--shard", "1/2", "--json", other);
    const merged = await output("merge", other, killed, "--quiet", "--json", "-");
    expect(comparable(merged)).toBe(comparable(await output(...args, "--json", "-")));
  });
});

/** Two files of 32 MiB that hold nothing but zeros, and take no room. */
function sparse(name: string, bytes: number): string {
  const header = Buffer.from(
    JSON.stringify({ w: { dtype: "BF16", shape: [bytes / 2], data_offsets: [0, bytes] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, header]));
  truncateSync(path, 8 + header.length + bytes);
  return path;
}

// What a process and those it waited for have read, the system tells on Linux alone.
describe.runIf(process.platform === "linux")("a shard reads", () => {
  async function bytesRead(args: readonly string[]): Promise<number> {
    const script = `"$@" > /dev/null && sed -n 's/rchar: //p' /proc/self/io > "$COUNT"; sed -n 's/rchar: //p' "/proc/$$/io" > "$COUNT"`;
    const count = join(folder, "count");
    const child = spawn("sh", ["-c", script, "sh", process.execPath, main, ...args], {
      env: { ...process.env, COUNT: count },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await new Promise((resolve) => child.once("close", resolve));
    return Number(readFileSync(count, "utf8"));
  }

  test("headers, 64 KiB of each file to know it by, and its own ranges", async () => {
    const size = 2 ** 25;
    const pair = [sparse("zero.safetensors", size), sparse("null.safetensors", size)];
    const bytesOf = (shard: string) =>
      bytesRead(["diff", ...pair, "--sample", "0", "--threads", "1", "--quiet", "--shard", shard]);
    const [half, eighth] = [await bytesOf("1/2"), await bytesOf("3/8")];
    // The program itself is the same bytes twice.
    expect(Math.abs(half - eighth - 2 * (size / 2 - size / 8))).toBeLessThan(4096);
    const program = eighth - 2 * (size / 8) - 2 * 2 ** 16;
    expect(program).toBeLessThan(2 ** 23);
  });
});
