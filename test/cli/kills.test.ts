import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { seeded, temporaryFolder } from "../source/support.js";
import { ended, type Ran, runProcess, start } from "../support/cli.js";
import { float32, writeRun } from "../support/recorded.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const below = seeded(35);
const tensors = 8;
const elements = 2 ** 16;
const numbers = (scale: number) =>
  Float32Array.from({ length: elements }, () => (below(2001) - 1000) * scale);

/** More than 2^22 updates, so that threads take them. */
const steps = 3;
const grid = ["--format", "bf16", "--scheme", "in-place,kahan", "--rounding", "nearest-even,stochastic"];
let runWork: readonly string[];
let diffWork: readonly string[];
let inputs: readonly string[];
beforeAll(async () => {
  const weights = Array.from({ length: tensors }, (_, i) => float32(`layers.${i}.w`, numbers(2e-5)));
  const updates = Array.from({ length: steps }, (_, step) =>
    weights.map(({ name }) => float32(`step${step}/${name}`, numbers(1e-9))),
  );
  const path = await writeRun(join(folder, "run"), weights, updates.flat());
  const tuned = join(folder, "tuned.safetensors");
  writeFileSync(tuned, encodeSafetensors(weights.map(({ name }) => float32(name, numbers(2e-5)))));
  runWork = ["run", path, "--engine", "wasm", "--threads", "3"];
  diffWork = ["diff", join(path, "base.safetensors"), tuned, "--threads", "3"];
  inputs = [join(path, "base.safetensors"), join(path, "updates.safetensors"), tuned];
});

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

async function timed(args: readonly string[]): Promise<{ ran: Ran; took: number }> {
  const began = performance.now();
  const ran = await runProcess(args);
  expect(ran.status).toBe(0);
  return { ran, took: performance.now() - began };
}

describe("killed at any moment", () => {
  const out = join(folder, "out");
  const old = createHash("sha256").update("as it was").digest("hex");
  let work: readonly string[];
  let took: number;
  let files: readonly string[];
  let whole: ReadonlyMap<string, string>;
  beforeAll(async () => {
    const one = ["--scheme", "kahan", "--write-weights", join(out, "w.safetensors")];
    const named = ["json", "csv", "markdown", "html"].flatMap((name) => [
      `--${name}`,
      join(out, `r.${name}`),
    ]);
    work = [...runWork, ...one, ...named, "--svg", join(out, "svg"), "--quiet"];
    mkdirSync(out);
    took = (await timed(work)).took;
    files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => /\.\w+$/.test(name));
    whole = new Map(files.map((name) => [name, digest(join(out, name))]));
  });

  // In batches, of which none takes long.
  const batches = sized({ quick: 1, full: 6 });
  const kills = sized({ quick: 4, full: 10 });
  test.each(Array.from({ length: batches }, (_, batch) => batch))(
    "every output is whole, as it was or not there, and inputs are what they were (%i)",
    async (batch) => {
      expect(files.length).toBeGreaterThan(8);
      const before = inputs.map(digest);
      for (let i = batch * kills; i < (batch + 1) * kills; i++) {
        rmSync(out, { recursive: true });
        mkdirSync(join(out, "svg"), { recursive: true });
        // Half of the outputs are there before.
        for (const name of files.filter((_, at) => (at + i) % 2 === 0))
          writeFileSync(join(out, name), "as it was");
        const child = start(work);
        const ran = ended(child);
        // Most about the time when outputs are written.
        const from = i % 3 === 0 ? 0 : 0.7 * took;
        await Promise.race([sleep(from + (below(1000) / 1000) * (1.1 * took - from)), ran]);
        child.kill("SIGKILL");
        await ran;
        for (const name of readdirSync(out, { recursive: true, encoding: "utf8" })) {
          // What a process that had no time left under a temporary name is no output.
          if (name === "svg" || name.endsWith(".tmp")) continue;
          expect([old, whole.get(name)], `${name} after kill ${i}`).toContain(digest(join(out, name)));
        }
        expect(inputs.map(digest)).toEqual(before);
      }
    },
  );
});

describe("a thread that is ended at any moment", () => {
  const killer = new URL("../support/end-thread.mjs", import.meta.url).href;

  test.each(["run", "diff"])("of %s: one sentence, exit code 1, and nothing left behind", async (command) => {
    const json = join(folder, `${command}.json`);
    const work = [...(command === "run" ? [...runWork, ...grid] : diffWork), "--quiet", "--json", json];
    const { took } = await timed(work);
    const whole = readFileSync(json, "utf8");
    rmSync(json);
    const before = readdirSync(folder);
    let hits = 0;
    for (let i = 0; i < sized({ quick: 1, full: 12 }); i++) {
      const after = i === 0 ? 0 : below(Math.ceil(took));
      const env = {
        NODE_OPTIONS: `--import=${killer}`,
        END_THREAD: String(below(3)),
        END_THREAD_AFTER: String(after),
      };
      // It resolves when the process and all that has its output are gone.
      const { status, stdout, stderr } = await ended(start(work, env));
      expect(stdout).toBe("");
      if (status === 0) {
        // All was done before, or the thread had nothing to do.
        expect(stderr).toBe("");
        expect(readFileSync(json, "utf8")).toBe(whole);
        rmSync(json);
      } else {
        hits += 1;
        expect({ status, stderr }).toEqual({
          status: 1,
          stderr: "precision-lens: a thread ended before its work was done\n",
        });
        expect(existsSync(json)).toBe(false);
      }
      expect(readdirSync(folder)).toEqual(before);
    }
    expect(hits).toBeGreaterThan(0);
  });
});
