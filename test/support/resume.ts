import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { seeded } from "../source/support.js";
import { ended, runProcess, start } from "./cli.js";

const signals = ["SIGKILL", "SIGINT", "SIGTERM"] as const;

/**
 * Ends the work at so many moments, the first of them when a part is done, the others spread over the time that it
 * takes, each time going on from where it was, and expects nothing or the whole result beside its progress; then lets it
 * come to its end.
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
  await endEarly([...work, "--json", json], log);
  rmSync(json, { force: true });
  expect(readdirSync(out)).toEqual(["progress"]);
  for (let i = 1; i < kills; i++) {
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
    rmSync(json, { force: true });
  }
  await complete();
}

/** Starts the work, ends it when the log has a part, and gives the log. */
export async function endEarly(work: readonly string[], log: string): Promise<string> {
  const hasPart = () => existsSync(log) && /\n.*\n/.test(readFileSync(log, "utf8"));
  // Again if all was done before the signal came, as on a machine that has more to do.
  for (let tries = 0; tries < 5 && !existsSync(log); tries++) {
    const child = start([...work, "--resume", log]);
    const ran = ended(child);
    while (child.exitCode === null && !hasPart()) await sleep(5);
    child.kill("SIGKILL");
    await ran;
  }
  return readFileSync(log, "utf8");
}
