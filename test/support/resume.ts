import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { seeded } from "../source/support.js";
import { ended, run, runProcess, start } from "./cli.js";
import { fullTier } from "./tier.js";

const signals = ["SIGINT", "SIGTERM", "SIGKILL"] as const;

/** A command without outputs to test `--resume` with, and its result. */
export interface Work {
  readonly args: readonly string[];
  /** The result as JSON. */
  readonly whole: string;
  /** Milliseconds until then. */
  readonly took: number;
  /** The log of a run that was ended after its first part. */
  readonly progress: string;
}

/** Runs the command without interruption, and again until it has a log. */
export async function workOf(args: readonly string[], folder: string): Promise<Work> {
  const began = performance.now();
  const { status, stdout: whole } = await runProcess([...args, "--json", "-"]);
  expect(status).toBe(0);
  const took = performance.now() - began;
  const log = join(folder, "begun");
  // Repeat if it finished before the signal arrived, as happens on a busy machine.
  for (let tries = 0; tries < 5 && !existsSync(log); tries++) {
    const child = start([...args, "--resume", log]);
    const ran = ended(child);
    const hasPart = () => existsSync(log) && /\n.*\n/.test(readFileSync(log, "utf8"));
    while (child.exitCode === null && !hasPart()) await sleep(5);
    child.kill("SIGKILL");
    await ran;
  }
  return { args, whole, took, progress: readFileSync(log, "utf8") };
}

/**
 * Resumes the command and kills it several times, at moments spread over its duration. After each, expects either no
 * result or the whole one next to its progress; finally lets it complete.
 *
 * @param out a folder to make.
 */
export async function expectResumes(work: Work, out: string, kills: number): Promise<void> {
  const { args, whole, took, progress } = work;
  mkdirSync(out);
  const [log, json] = [join(out, "progress"), join(out, "r.json")];
  const resumed = [...args, "--resume", log, "--json", json];
  writeFileSync(log, progress);
  const below = seeded(kills);
  const expectWhole = () => expect(readFileSync(json, "utf8") === whole).toBe(true);
  for (let i = 0; i < kills; i++) {
    const child = start(resumed);
    const ran = ended(child);
    await Promise.race([sleep((took * (i + below(1000) / 1000)) / kills), ran]);
    child.kill(signals[i % 3]);
    await ran;
    // A temporary file is left only where the process had no time to remove it.
    const temporary = readdirSync(out).filter((name) => name.endsWith(".tmp"));
    if (signals[i % 3] !== "SIGKILL") expect(temporary).toEqual([]);
    for (const name of temporary) rmSync(join(out, name));
    expect(["", "progress", "progress,r.json", "r.json"]).toContain(readdirSync(out).join());
    if (existsSync(json)) expectWhole();
    rmSync(json, { force: true });
  }
  // The second time starts from the beginning.
  for (let times = 0; times < (fullTier ? 2 : 1); times++) {
    expect(await run(resumed)).toEqual({ status: 0, stdout: "", stderr: "" });
    expectWhole();
    expect(readdirSync(out)).toEqual(["r.json"]);
  }
}
