/**
 * Recipes: weight-steps per CPU second of the wasm engine on one thread, and per second on all threads, compared with
 * the reference and with a C loop of one recipe's step only. CPU seconds are meaningful on a busy machine too.
 * Usage: npm run bench -- recipes [million weights] [steps] [repeats]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, LensJob } from "../src/engine/engine.js";
import { reference } from "../src/engine/reference/reference.js";
import { wasm } from "../src/engine/wasm/wasm.js";
import { format } from "../src/format/registry.js";
import type { Values } from "../src/lens/input.js";
import { type CaseSettings, recipeSettings, recipes } from "../src/update/optimizer.js";
import type { OptimizerName } from "../src/update/recipe/recipe.js";
import { updateSettings } from "../src/update/settings.js";
import { gaussian } from "../test/support/values.js";

/** Weights of sigma 0.02 and gradients of sigma 1e-3, in shared memory; every step has the same. */
function jobOf(elements: number, steps: number) {
  const shared = (numbers: () => number): Values => {
    const memory = new SharedArrayBuffer(4 * elements);
    const data = new Float32Array(memory).map(numbers);
    new Float32Array(memory).set(data);
    return {
      length: elements,
      origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: format("fp32") } },
      read: async (start, into) => into.set(data.subarray(start, start + into.length)),
    };
  };
  const normal = gaussian(1);
  const weights = shared(() => 0.02 * normal());
  const gradients = shared(() => 1e-3 * normal());
  return (settings: CaseSettings, threads: number, count = elements): LensJob => ({
    tensors: [
      {
        name: "w",
        shape: [count],
        weights: { ...weights, length: count },
        updates: Array.from({ length: steps }, () => ({ ...gradients, length: count })),
      },
    ],
    stepNumbers: Array.from({ length: steps }, (_, i) => i),
    cases: [settings],
    threads,
  });
}

/** Millions per second of the best repeat: by CPU seconds of all threads, and by wall-clock time. */
async function ratesOf(engine: Engine, job: LensJob, repeats: number) {
  const total = (job.tensors[0].weights.length * job.stepNumbers.length) / 1e6;
  const best = { processor: 0, clock: 0 };
  for (let i = 0; i <= repeats; i++) {
    const [cpu, began] = [process.cpuUsage(), performance.now()];
    await engine.run(job);
    const { user, system } = process.cpuUsage(cpu);
    // The first one includes compilation.
    if (i === 0) continue;
    best.processor = Math.max(best.processor, total / ((user + system) / 1e6));
    best.clock = Math.max(best.clock, total / ((performance.now() - began) / 1000));
  }
  return best;
}

/** The C loop's millions per CPU second; null without a compiler. */
function limit(elements: number, steps: number, repeats: number): number | null {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  try {
    const program = join(folder, "recipe");
    const source = fileURLToPath(new URL("engines/recipe.c", import.meta.url));
    const flags = ["-O3", "-march=native", "-fno-trapping-math", "-fno-math-errno", "-ffp-contract=off"];
    if (spawnSync("cc", [...flags, "-o", program, source, "-lm"]).status !== 0) return null;
    const ran = spawnSync(program, [elements, steps, repeats].map(String), { encoding: "utf8" });
    return (elements * steps) / 1e6 / JSON.parse(ran.stdout).step.seconds;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function recipesBench(millions = 4, steps = 8, repeats = 3): Promise<void> {
  const elements = millions * 2 ** 20;
  const threads = availableParallelism();
  const write = (name: string, ...columns: readonly string[]) =>
    process.stdout.write(`${name.padEnd(40)}${columns.map((text) => text.padStart(18)).join("")}\n`);
  process.stdout.write(
    `${millions} x 2^20 weights of bf16, fp32 gradients in memory, ${steps} steps, everything counted; million weight-steps\n` +
      `${cpus()[0].model}, ${threads} cores, Node ${process.versions.node}\n\n`,
  );
  const job = jobOf(elements, steps);
  const inPlace = await ratesOf(wasm, job(updateSettings({ format: "bf16" }), 1), repeats);
  const few = job(
    recipeSettings("adamw", "torch-2.13-cpu-foreach", { format: "bf16", lr: 1e-6 }),
    1,
    2 ** 14,
  );
  const slow = (await ratesOf(reference, few, 1)).processor;
  const c = limit(elements, steps, repeats);
  write("", "a CPU second", `a second, ${threads} thr.`, "of reference", "of the C step");
  try {
    for (const optimizer of Object.keys(recipes) as OptimizerName[]) {
      for (const { name, whole } of recipes[optimizer].values()) {
        if (whole) continue;
        const settings = recipeSettings(optimizer, name, { format: "bf16", lr: 1e-6, weightDecay: 0.1 });
        const { processor } = await ratesOf(wasm, job(settings, 1), repeats);
        const { clock } = await ratesOf(wasm, job(settings, threads), repeats);
        write(
          `${optimizer} ${name}`,
          processor.toFixed(1),
          clock.toFixed(1),
          `${(processor / slow).toFixed(0)} x`,
          // The C loop implements AdamW.
          c === null || optimizer !== "adamw" ? "-" : `${((100 * processor) / c).toFixed(0)} %`,
        );
      }
    }
  } finally {
    await wasm.close?.();
  }
  write("recorded updates, in-place", inPlace.processor.toFixed(1));
  write("adamw torch-2.13-cpu-foreach, reference", slow.toFixed(2));
  write("the same, C, its step alone", c === null ? "no compiler" : c.toFixed(1));
}
