/**
 * Formats with shared scales: weight-steps per CPU second of the wasm engine on one thread, compared with bf16
 * under the same scheme (ECO, which bf16 lacks, with Kahan's, which has a carrier too) and with the reference.
 * Rounds alternate and ratios are within a round, so that they are meaningful on a busy machine too.
 * Usage: npm run bench -- shared-scales [million weights] [steps] [rounds]
 */
import { cpus } from "node:os";
import type { Engine, LensJob } from "../src/engine/engine.js";
import { reference } from "../src/engine/reference/reference.js";
import { wasm } from "../src/engine/wasm/wasm.js";
import { format } from "../src/format/registry.js";
import type { Values } from "../src/lens/input.js";
import { type BlockOptions, schemeSettings } from "../src/update/block-settings.js";
import { gaussian } from "../test/support/values.js";

type Case = Pick<BlockOptions, "scheme" | "scales"> & { readonly format: string };

const master = [
  ...["bf16", "mxfp8-e4m3", "mxfp8-e4m3:rceil", "mxfp8-e5m2", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp4"],
  ...["nvfp4", "nvfp4:transformer-engine", "nvfp4-16x16", "fp8-128x128", "fp8-128x128:power-of-two"],
].map((name): Case => ({ format: name, scheme: "master" }));
/** Each is compared with the first of its list. */
const lists: readonly (readonly Case[])[] = [
  master,
  [
    { format: "bf16", scheme: "in-place" },
    { format: "mxfp8-e4m3", scheme: "in-place" },
    { format: "mxfp8-e4m3", scheme: "in-place", scales: "kept" },
    { format: "nvfp4", scheme: "in-place", scales: "kept" },
    { format: "fp8-128x128", scheme: "in-place", scales: "kept" },
  ],
  [
    { format: "bf16", scheme: "kahan" },
    { format: "mxfp8-e4m3", scheme: "eco" },
    { format: "fp8-128x128", scheme: "eco", scales: "kept" },
  ],
];

/** Columns of the matrix: whole blocks of all formats. */
const width = 4096;

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
  return (settings: Case, count = elements): LensJob => ({
    tensors: [
      {
        name: "w",
        shape: [count / width, width],
        weights: { ...weights, length: count },
        updates: Array.from({ length: steps }, () => ({ ...updates, length: count })),
      },
    ],
    stepNumbers: Array.from({ length: steps }, (_, i) => i),
    cases: [schemeSettings(settings)],
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
    `${millions} x 2^20 weights, fp32 updates in memory, ${steps} steps, everything counted; million weight-steps\n` +
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n\n`,
  );
  try {
    const cases = lists.flat();
    const rates = new Map(cases.map((settings) => [settings, [] as number[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const settings of cases) {
        const found = await rate(wasm, job(settings));
        // The first one includes compilation.
        if (round > 0) rates.get(settings)!.push(found);
      }
    }
    const scalar = await rate(reference, job({ format: "mxfp8-e4m3", scheme: "master" }, 2 ** 15));
    process.stdout.write(`${"".padEnd(40)}${"a CPU second".padStart(14)}${"of bf16".padStart(18)}\n`);
    for (const list of lists) {
      for (const settings of list) {
        const ofBase = rates.get(list[0])!;
        const own = rates.get(settings)!;
        const ratios = own.map((weightSteps, round) => (100 * weightSteps) / ofBase[round]);
        const range = [Math.min, Math.max].map((end) => end(...ratios).toFixed(0)).join(" to ");
        const name = `${settings.format}, ${settings.scheme}${settings.scales ? `, scales ${settings.scales}` : ""}`;
        const most = Math.max(...own).toFixed(0);
        process.stdout.write(`${name.padEnd(40)}${most.padStart(14)}${`${range} %`.padStart(18)}\n`);
      }
    }
    process.stdout.write(`${"mxfp8-e4m3, master, reference".padEnd(40)}${scalar.toFixed(2).padStart(14)}\n`);
  } finally {
    await wasm.close?.();
  }
}
