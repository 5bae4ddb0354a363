/**
 * Formats with shared scales: weight-steps a processor second of the wasm engine on one thread, under a master, beside bf16
 * and beside the reference. Rounds in turns, and ratios of the same round, so that they say something on a busy machine too.
 * Usage: npm run bench -- shared-scales [million weights] [steps] [rounds]
 */
import { cpus } from "node:os";
import type { Engine, LensJob } from "../src/engine/engine.js";
import { reference } from "../src/engine/reference/reference.js";
import { wasm } from "../src/engine/wasm/wasm.js";
import { format } from "../src/format/registry.js";
import type { Values } from "../src/lens/input.js";
import { schemeSettings } from "../src/update/block-settings.js";
import { gaussian } from "../test/support/values.js";

const formats = ["bf16", "mxfp8-e4m3", "mxfp8-e4m3:rceil", "mxfp8-e5m2", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp4"];

/** Weights of sigma 0.028 and updates of 1e-6, as in the table of docs/block-formats.md. */
function jobOf(elements: number, steps: number) {
  const normal = gaussian(1);
  const shared = (sigma: number): Values => {
    const memory = new SharedArrayBuffer(4 * elements);
    const data = new Float32Array(memory);
    for (let i = 0; i < elements; i++) data[i] = sigma * normal();
    return {
      length: elements,
      origin: { kind: "stored", of: { in: memory, byteOffset: 0, format: format("fp32") } },
      read: async (start, into) => into.set(data.subarray(start, start + into.length)),
    };
  };
  const [weights, updates] = [shared(0.028), shared(1e-6)];
  return (name: string, count = elements): LensJob => ({
    tensors: [
      {
        name: "w",
        shape: [count / 32, 32],
        weights: { ...weights, length: count },
        updates: Array.from({ length: steps }, () => ({ ...updates, length: count })),
      },
    ],
    stepNumbers: Array.from({ length: steps }, (_, i) => i),
    cases: [schemeSettings({ format: name, scheme: "master" })],
    threads: 1,
  });
}

/** Millions per CPU second. */
async function rate(engine: Engine, job: LensJob): Promise<number> {
  const cpu = process.cpuUsage();
  await engine.run(job);
  const { user, system } = process.cpuUsage(cpu);
  return (job.tensors[0].weights.length * job.stepNumbers.length) / (user + system);
}

export async function sharedScales(millions = 4, steps = 8, rounds = 5): Promise<void> {
  const job = jobOf(millions * 2 ** 20, steps);
  process.stdout.write(
    `${millions} x 2^20 weights, fp32 updates in memory, scheme master, ${steps} steps, everything counted; million weight-steps\n` +
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n\n`,
  );
  try {
    const rates = formats.map((): number[] => []);
    for (let round = 0; round <= rounds; round++) {
      for (const [f, name] of formats.entries()) {
        const found = await rate(wasm, job(name));
        // The first compiles.
        if (round > 0) rates[f].push(found);
      }
    }
    const scalar = await rate(reference, job("mxfp8-e4m3", 2 ** 15));
    process.stdout.write(`${"".padEnd(24)}${"a CPU second".padStart(14)}${"of bf16".padStart(18)}\n`);
    for (const [f, name] of formats.entries()) {
      const ratios = rates[f].map((weightSteps, round) => (100 * weightSteps) / rates[0][round]);
      const range = [Math.min, Math.max].map((end) => end(...ratios).toFixed(0)).join(" to ");
      process.stdout.write(
        `${name.padEnd(24)}${Math.max(...rates[f])
          .toFixed(0)
          .padStart(14)}${`${range} %`.padStart(18)}\n`,
      );
    }
    process.stdout.write(`${"mxfp8-e4m3, reference".padEnd(24)}${scalar.toFixed(2).padStart(14)}\n`);
  } finally {
    await wasm.close?.();
  }
}
