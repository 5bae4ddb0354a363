import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { piecesOf, planTensor } from "../../src/engine/plan-tensor.js";
import { runLens } from "../../src/engine/run-lens.js";
import { selectEngine } from "../../src/engine/select.js";
import { planShards } from "../../src/lens/shard/plan.js";
import { updateSettings } from "../../src/update/settings.js";
import { temporaryFolder } from "../source/support.js";
import { tensorOf } from "../support/values.js";
import { comparable } from "./support.js";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const block = 4096;

describe("1,000 shards of a run over 700 tensors", () => {
  const folder = temporaryFolder();
  // Most tensors are cut, some are in several shards.
  const tensors = Array.from({ length: 700 }, (_, i) => {
    const elements = i % 3 === 0 ? 100 : (1 + (i % 3)) * block + i;
    const weights = new Float32Array(elements).fill(1 + i);
    return tensorOf(`model.layers.${i}.weight`, weights, new Float32Array(elements).fill(0.004 * (i % 5)));
  });
  const cases = (["in-place", "master", "kahan", "two-term"] as const).map((scheme) =>
    updateSettings({ format: "bf16", scheme }),
  );
  const job = {
    tensors,
    stepNumbers: [0],
    cases,
    source: { kind: "recorded", weights: "w", updates: "u", gradients: null, metadata: {} } as const,
    skipped: [],
    strict: false,
  };
  const elements = tensors.reduce((sum, { weights }) => sum + weights.length, 0);

  test("are merged in under 10 s and 500 MB, and are the whole", async () => {
    const chosen = await selectEngine("reference");
    const shards = planShards(
      tensors.map((tensor) => planTensor(tensor, cases)),
      1000,
    );
    const files: string[] = [];
    for (const [index, { ranges }] of shards.entries()) {
      const part = { index, of: 1000, plan: "0".repeat(32), ranges, whole: { tensors: 700, elements } };
      const shard = { part, all: tensors };
      const result = await runLens({ ...job, tensors: piecesOf(tensors, ranges), shard }, chosen);
      files.push(join(folder, `${index}.json`));
      writeFileSync(files[index], JSON.stringify(result));
    }
    const whole = await runLens(job, chosen);
    const merged = join(folder, "merged.json");
    const child = spawn("/usr/bin/env", [
      "sh",
      "-c",
      `"$0" "$1" merge "$2"/[0-9]*.json --quiet --json "$3" & child=$!
       most=0
       while kill -0 $child 2> /dev/null; do
         now=$(sed -n 's/VmHWM:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$child/status 2> /dev/null)
         [ "\${now:-0}" -gt "$most" ] && most=$now
         sleep 0.05
       done
       wait $child && times && echo "$most"`,
      process.execPath,
      main,
      folder,
      merged,
    ]);
    let told = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(comparable(readFileSync(merged, "utf8"))).toBe(comparable(JSON.stringify(whole)));
    const lines = told.trim().split("\n");
    const kilobytes = Number(lines.at(-1));
    // Of what it waited for: user and system, minutes and seconds. Seconds of the processor, whatever else is at work.
    const [user, system] = lines
      .at(-2)!
      .split(" ")
      .map((text) => {
        const [minutes, seconds] = text.replace("s", "").split("m");
        return 60 * Number(minutes) + Number(seconds);
      });
    process.stdout.write(`1,000 shards merged: ${(user + system).toFixed(1)} s of CPU, ${kilobytes} kB\n`);
    expect(user + system).toBeLessThan(10);
    expect(kilobytes).toBeLessThan(500_000);
  });
});
