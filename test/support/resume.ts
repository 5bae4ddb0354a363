import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { seeded } from "../source/support.js";
import { ended, runProcess, start } from "./cli.js";

const signals = ["SIGKILL", "SIGINT", "SIGTERM"] as const;

/**
 * Ends the work at so many moments, spread over the time that it takes, each time going on from where it was, and expects
 * nothing or the whole result beside its progress; then lets it come to its end.
 *
 * @param work a command line without outputs.
 * @param out a folder to make.
 * @param whole the result as JSON, without an interruption.
 */
export async function expectResumes(
  work: readonly string[],
  out: string,
  whole: string,
  kills: number,
): Promise<void> {
  mkdirSync(out);
  const [log, json] = [join(out, "progress"), join(out, "r.json")];
  const resumed = [...work, "--resume", log, "--json", json];
  const below = seeded(kills);
  const complete = async () => {
    expect(await runProcess(resumed)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(json, "utf8") === whole).toBe(true);
    expect(readdirSync(out)).toEqual(["r.json"]);
  };
  const began = performance.now();
  await complete();
  const took = performance.now() - began;
  rmSync(json);
  let wentOn = 0;
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
    if (existsSync(json)) expect(readFileSync(json, "utf8") === whole).toBe(true);
    if (existsSync(log)) wentOn = Math.max(wentOn, readFileSync(log, "utf8").split("\n").length);
    rmSync(json, { force: true });
  }
  expect(wentOn).toBeGreaterThan(2);
  await complete();
}

/** Starts the work, ends it when the log has two parts, and gives the log. */
export async function endEarly(work: readonly string[], log: string): Promise<string> {
  const child = start([...work, "--resume", log]);
  const ran = ended(child);
  while (!existsSync(log) || readFileSync(log, "utf8").split("\n").length < 4) await sleep(5);
  child.kill("SIGKILL");
  await ran;
  return readFileSync(log, "utf8");
}
