import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { seeded, temporaryFolder } from "../source/support.js";
import { ended, type Ran, runProcess, start } from "../support/cli.js";
import { float32, recorded, writeRun } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const below = seeded(20);
const statusOf = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof statusOf;

/** Runs it, but sends a signal after some milliseconds. */
async function interrupted(args: readonly string[], signal: Signal, after: number): Promise<Ran> {
  const child = start(args);
  const ran = ended(child);
  await Promise.race([sleep(after), ran]);
  child.kill(signal);
  return ran;
}

describe("a signal leaves no output, no temporary file, and an existing output as it was", () => {
  const elements = sized({ quick: 1_000_000, full: 2_000_000 });
  /** Milliseconds within which a signal comes: the work takes several times as long. */
  const spread = Math.floor(elements / 1500);
  const numbers = (scale: number) => {
    const values = new Float32Array(elements);
    for (let i = 0; i < elements; i++) values[i] = (below(2001) - 1000) * scale;
    return values;
  };

  test("while it works", async () => {
    const updates = numbers(1e-9);
    const large = await writeRun(
      join(folder, "large"),
      [float32("w", numbers(2e-5))],
      Array.from({ length: 8 }, (_, step) => float32(`step${step}/w`, updates)),
    );
    // The slowest cases there are on one thread: seconds, so that no signal comes too late, a third of which go by in
    // proving the engine, during which signals wait.
    const grid = ["--format", "bf16,fp16,e4m3fn,e5m2", "--scheme", "kahan,two-term"];
    const one = ["run", large, "--rounding", "stochastic", "--threads", "1"];
    const out = join(folder, "while");
    mkdirSync(out);
    const kept = join(out, "kept.json");
    writeFileSync(kept, "as it was");
    const expectNothing = (ran: Ran, signal: Signal) => {
      expect(ran).toEqual({ status: statusOf[signal], stdout: "", stderr: "" });
      expect(readdirSync(out)).toEqual(["kept.json"]);
      expect(readFileSync(kept, "utf8")).toBe("as it was");
    };
    const fresh = join(out, "new.json");
    const jsons = sized({ quick: [kept, fresh], full: [kept, kept, fresh, fresh] });
    for (const [i, json] of jsons.entries()) {
      const signal = i % 2 === 0 ? "SIGINT" : "SIGTERM";
      const work = [...one, ...grid, "--json", json];
      expectNothing(await interrupted(work, signal, 100 + below(spread)), signal);
    }

    // Weights are written as they are counted, under a temporary name.
    const weights = join(out, "w.safetensors");
    const child = start([...one, "--scheme", "kahan", "--engine", "reference", "--write-weights", weights]);
    const ran = ended(child);
    while (child.exitCode === null && readdirSync(out).length < 2) await sleep(5);
    child.kill("SIGTERM");
    expectNothing(await ran, "SIGTERM");
  });

  test("or the whole of it, if it comes when all is written", async () => {
    const began = performance.now();
    const sides = ["base.safetensors", "rlvr/final-bf16.safetensors"].map(recorded);
    const { schema, work } = sized<{ schema: "diff" | "result"; work: string[] }>({
      quick: { schema: "diff", work: ["diff", ...sides, "--quiet"] },
      full: { schema: "result", work: ["run", recorded("rlvr/early"), "--quiet"] },
    });
    await runProcess(work);
    const took = Math.ceil(performance.now() - began);
    for (let i = 0; i < sized({ quick: 3, full: 10 }); i++) {
      const out = join(folder, `at the end ${i}`);
      mkdirSync(out);
      const signal = i % 2 === 0 ? "SIGINT" : "SIGTERM";
      // Most about the time when the result is written.
      const moment = Math.floor(took * 0.7) + below(Math.ceil(took * 0.4));
      const ran = await interrupted([...work, "--json", join(out, "r.json")], signal, moment);
      expect([0, statusOf[signal]]).toContain(ran.status);
      const files = readdirSync(out);
      if (ran.status === 0) expect(files).toEqual(["r.json"]);
      else expect(["", "r.json"]).toContain(files.join());
      for (const file of files) expectValid(schema, JSON.parse(readFileSync(join(out, file), "utf8")));
    }
  });
});
