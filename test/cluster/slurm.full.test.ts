import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { float32, recorded } from "../support/recorded.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { comparable } from "./support.js";

const folder = temporaryFolder();
const script = fileURLToPath(new URL("../../docs/cluster/slurm.sh", import.meta.url));
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const { Slurm } = await import("./slurm.js");

/** Tensors whose comparison as fp16 takes seconds, so that a task can be killed while it works. */
function checkpoint(name: string, scale: number): string {
  const numbers = (tensor: number) =>
    Float32Array.from({ length: 200_000 }, (_, i) => scale + i * tensor * 1e-7);
  const tensors = Array.from({ length: 32 }, (_, i) => float32(`layers.${i}.w`, numbers(i)));
  return put(folder, name, encodeSafetensors(tensors));
}

describeNeeding(requirements.slurm, "a Slurm array of 8", () => {
  const slurm = new Slurm(temporaryFolder());
  const program = join(folder, "precision-lens");
  const env = { PRECISION_LENS: program };
  beforeAll(async () => {
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
    chmodSync(program, 0o755);
    await slurm.start();
  });
  afterAll(() => slurm.stop());

  /** Submits the array and a merge that waits for it, as docs/cluster.md does. */
  function submit(parts: string, args: readonly string[]): { array: string; merge: string } {
    const log = `--output=${join(folder, "%A-%a.log")}`;
    const array = slurm.submit(env, "--array=0-7", "--cpus-per-task=1", log, script, parts, "8", ...args);
    const add = `${program} merge ${parts}/*.json --quiet --json ${parts}.json`;
    return { array, merge: slurm.submit(env, `--dependency=afterok:${array}`, log, "--wrap", add) };
  }

  const done = (states: ReadonlyMap<string, string>) =>
    [...states.values()].every((state) => state === "COMPLETED");

  test("over a recorded run, merged when all are done, gives what one machine gives", async () => {
    const args = ["run", recorded("rlvr/early"), "--format", "bf16", "--rounding", "stochastic"];
    const parts = join(folder, "run");
    const { array, merge } = submit(parts, args);
    const states = await slurm.ended(array);
    expect([...states.keys()].length).toBe(8);
    expect(done(states)).toBe(true);
    expect(done(await slurm.ended(merge))).toBe(true);
    const merged = readFileSync(`${parts}.json`, "utf8");
    expect(comparable(merged)).toBe(comparable(await output(...args, "--quiet", "--json", "-")));
  });

  test("over two checkpoints, one task killed and requeued, is the same", async () => {
    const args = [
      "diff",
      checkpoint("a.safetensors", 1),
      checkpoint("b.safetensors", 1.001),
      "--view",
      "fp16",
    ];
    const parts = join(folder, "diff");
    const { array, merge } = submit(parts, args);
    const progress = join(parts, "1.progress");
    const counted = () => (existsSync(progress) ? readFileSync(progress, "utf8").split("\n").length : 0);
    while (counted() < 3) await sleep(5);
    slurm.call("scontrol", "requeue", `${array}_1`);
    expect(existsSync(join(parts, "1.json"))).toBe(false);
    const kept = counted();
    expect(kept).toBeGreaterThanOrEqual(3);
    expect(done(await slurm.ended(array))).toBe(true);
    expect(slurm.call("scontrol", "--oneliner", "show", "job", `${array}_1`)).toMatch("Restarts=1");
    expect(done(await slurm.ended(merge))).toBe(true);
    const merged = readFileSync(`${parts}.json`, "utf8");
    expect(comparable(merged)).toBe(comparable(await output(...args, "--quiet", "--json", "-")));
  });
});
