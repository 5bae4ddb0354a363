import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { sealed } from "../../src/source/resume-log.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, seeded, temporaryFolder } from "../source/support.js";
import { ended, expectRefusal, output, run, start } from "../support/cli.js";
import { float32 } from "../support/recorded.js";

const folder = temporaryFolder();
const below = seeded(7);

/** Tensors whose comparison as fp16 takes a while: no fast twin rounds to it. */
function checkpoint(name: string, scale: number): string {
  const numbers = (tensor: number) =>
    Float32Array.from({ length: 50_000 }, (_, i) => scale + i * tensor * 1e-6);
  return put(
    folder,
    name,
    encodeSafetensors(Array.from({ length: 80 }, (_, i) => float32(`layers.${i}.w`, numbers(i)))),
  );
}

const pair = [checkpoint("before.safetensors", 1), checkpoint("after.safetensors", 1.001)];
const work = ["diff", ...pair, "--view", "fp16", "--quiet"];

describe("--resume", () => {
  test("ended at 20 moments, the run goes on from there and gives what an uninterrupted one gives", async () => {
    const whole = join(folder, "whole.json");
    const began = performance.now();
    await output(...work, "--json", whole);
    const took = performance.now() - began;
    const out = join(folder, "out");
    mkdirSync(out);
    const [log, json] = [join(out, "progress"), join(out, "r.json")];
    const resumed = [...work, "--resume", log, "--json", json];
    let wentOn = 0;
    for (let i = 0; i < 20; i++) {
      const child = start(resumed);
      const ran = ended(child);
      await Promise.race([sleep(below(Math.ceil(took))), ran]);
      child.kill((["SIGKILL", "SIGINT", "SIGTERM"] as const)[i % 3]);
      await ran;
      // Nothing or the whole; a temporary file only where the process had no time to remove it.
      const files = readdirSync(out).filter((name) => i % 3 !== 0 || !name.endsWith(".tmp"));
      expect(["", "progress", "progress,r.json", "r.json"]).toContain(files.join());
      if (existsSync(json)) expect(readFileSync(json, "utf8")).toBe(readFileSync(whole, "utf8"));
      if (existsSync(log)) wentOn = Math.max(wentOn, readFileSync(log, "utf8").split("\n").length);
      rmSync(json, { force: true });
    }
    expect(wentOn).toBeGreaterThan(2);
    await output(...resumed);
    expect(readFileSync(json, "utf8")).toBe(readFileSync(whole, "utf8"));
    expect(existsSync(log)).toBe(false);
  });

  /** A run that was ended after its first tensors. */
  async function endedEarly(name: string): Promise<string> {
    const log = join(folder, name);
    const child = start([...work, "--resume", log]);
    const ran = ended(child);
    while (!existsSync(log) || readFileSync(log, "utf8").split("\n").length < 4) await sleep(5);
    child.kill("SIGKILL");
    await ran;
    return log;
  }

  test("what was counted is not counted again, and a line that was cut off does not count", async () => {
    const log = await endedEarly("cut");
    const lines = readFileSync(log, "utf8").split("\n");
    // A count that only the log can have put there.
    const [name, tally] = JSON.parse(lines[1].slice(lines[1].indexOf(" ")));
    lines[1] = sealed(lines[0], JSON.stringify([name, { ...tally, signFlips: 12345 }]));
    writeFileSync(log, `${lines.slice(0, 2).join("\n")}\n0123456789abcdef ["layers.1.w",{"elem`);
    const { tensors } = JSON.parse(await output(...work, "--resume", log, "--json", "-"));
    const flips = tensors.map(({ signFlips }: { signFlips: number }) => signFlips);
    expect(flips).toEqual([12345, ...Array(79).fill(0)]);
  });

  test("what is not as it was written is refused", async () => {
    const log = await endedEarly("tampered");
    const text = readFileSync(log, "utf8");
    const [head, first, ...rest] = text.split("\n");
    for (const line of [first.replace(/\d(?=[^\d]*$)/, "7x"), first.slice(17), "null", "", `${first} `]) {
      const tampered = [head, line, ...rest].join("\n");
      writeFileSync(log, tampered);
      await expectRefusal(
        [...work, "--resume", log],
        log,
        "the progress that --resume saved",
        "something else",
      );
      expect(readFileSync(log, "utf8")).toBe(tampered);
    }
  });

  test("the progress of another run is refused and left as it is", async () => {
    const log = await endedEarly("another");
    const text = readFileSync(log, "utf8");
    const very = "the progress of this very run";
    await expectRefusal(
      ["diff", ...pair, "--view", "bf16", "--resume", log],
      log,
      very,
      "that of one with other settings",
    );
    const [before] = pair;
    const bytes = readFileSync(before);
    await sleep(10);
    writeFileSync(before, bytes);
    await expectRefusal(
      [...work, "--resume", log],
      log,
      very,
      `that of one in which ${JSON.stringify(before)} was another file, or had not been written to since`,
    );
    expect(readFileSync(log, "utf8")).toBe(text);
  });

  test.each(["", "progress\n", "null\n", '{"schema":"precision-lens/1"}\n'])(
    "%j is no progress",
    async (text) => {
      const log = put(folder, "no progress", text);
      await expectRefusal(
        [...work, "--resume", log],
        log,
        "the progress that --resume saved",
        "something else",
      );
      expect(readFileSync(log, "utf8")).toBe(text);
    },
  );

  test("a weights file is never taken for it", async () => {
    const { status, stderr } = await run([...work, "--resume", pair[0]]);
    expect(status).toBe(2);
    expect(stderr).toContain("that of a safetensors file");
  });
});
