/**
 * The webgpu engine on the device of this machine, compared with a WGSL copy kernel on it and with the wasm engine.
 * Usage: npm run bench -- gpu [million weights, default 64] [seconds, default 60]
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import type { Engine, LensJob } from "../src/engine/engine.js";
import { wasm } from "../src/engine/wasm/wasm.js";
import { bindings, type Device, openDevice } from "../src/engine/webgpu/device.js";
import { parameterNames } from "../src/engine/webgpu/layout.js";
import { webGpuEngine } from "../src/engine/webgpu/webgpu.js";
import { format } from "../src/format/registry.js";
import { roundings } from "../src/format/round.js";
import { drawnValues, type Values } from "../src/lens/input.js";
import { drawnWeights, simulatedUpdates } from "../src/lens/run/simulated.js";
import { type BlockOptions, schemeSettings } from "../src/update/block-settings.js";
import { gaussian, normalQuantile } from "../src/update/distribution.js";
import { schemeNames } from "../src/update/scheme.js";
import { stepKey, tensorKey } from "../src/update/threefry.js";
import { weightKey } from "../src/update/weight-draws.js";

const repeats = 3;

export async function gpu(millions = 64, seconds = 60): Promise<void> {
  const began = performance.now();
  const left = () => seconds - (performance.now() - began) / 1000;
  let device: Device;
  try {
    device = await openDevice();
  } catch (error) {
    process.stdout.write(`no GPU: ${error instanceof Error ? error.message : error}\n`);
    return;
  }
  const engine = webGpuEngine(async () => device);
  const elements = Math.round(millions * 2 ** 20);
  const copy = await copyRate(device, elements);
  process.stdout.write(
    `${device.name}, WebGPU by Dawn, Node ${process.versions.node}; ${cpus()[0].model}\n` +
      `a copy kernel in WGSL ${(copy / 1e9).toFixed(1)} GB/s, read and written\n` +
      `${torchRates(elements)}\n` +
      `${elements.toLocaleString("en")} weights of ${format("bf16").name} that are drawn on the device; best of ${repeats}\n\n` +
      `${"".padEnd(46)}million weight-steps a second: of a step, of the run, by wasm; share of the copy at 12 bytes each\n`,
  );
  const small = Math.ceil(elements / 16);
  const jobs: readonly Measured[] = [
    { name: "in place, updates of 1e-6", elements, cases: [{ format: "bf16" }], updates: drawn(1e-6) },
    { name: "in place, updates of 1e-5", elements, cases: [{ format: "bf16" }], updates: drawn(1e-5) },
    {
      name: "in place, 1e-6, a 16th of the weights",
      elements: small,
      cases: [{ format: "bf16" }],
      updates: drawn(1e-6),
    },
    { name: "master, 1e-6", elements, cases: [{ format: "bf16", scheme: "master" }], updates: drawn(1e-6) },
    {
      name: "mxfp8-e4m3 of a master, 1e-6",
      elements,
      cases: [{ format: "mxfp8-e4m3", scheme: "master" }],
      updates: drawn(1e-6),
    },
    {
      name: "mxfp4 of a bf16 view of a master, 1e-6",
      elements,
      cases: [{ format: "mxfp4", scheme: "master", through: "bf16" }],
      updates: drawn(1e-6),
    },
    ...["nvfp4", "nvfp4-16x16", "fp8-128x128"].map(
      (format): Measured => ({
        name: `${format} of a master, 1e-6`,
        elements,
        cases: [{ format, scheme: "master" }],
        updates: drawn(1e-6),
      }),
    ),
    { name: "kahan, 1e-6", elements, cases: [{ format: "bf16", scheme: "kahan" }], updates: drawn(1e-6) },
    {
      name: "in place, stochastic, 1e-6",
      elements,
      cases: [{ format: "bf16", rounding: "stochastic" }],
      updates: drawn(1e-6),
    },
    { name: "AdamW on the device, in place", elements, cases: [{ format: "bf16" }], updates: simulated },
    {
      name: "AdamW on the device, e4m3fn, in place",
      elements,
      cases: [{ format: "e4m3fn" }],
      updates: simulated,
    },
    {
      name: "100 cases, a 16th of the weights",
      elements: small,
      cases: hundredCases(),
      updates: drawn(1e-6),
      steps: 2,
    },
  ];
  for (const job of jobs) {
    if (left() < 0) {
      process.stdout.write(`${job.name}: left out, ${seconds} s are over\n`);
      continue;
    }
    const { ofStep, ofRun } = await rates(engine, job);
    const part = {
      ...job,
      elements: Math.min(job.elements, 2 ** 20),
      cases: job.cases.slice(0, 4),
      steps: 2,
    };
    const beside = (await rates(wasm, part)).ofRun;
    process.stdout.write(
      `${job.name.padEnd(46)}${[ofStep, ofRun, beside].map((rate) => rate.toFixed(rate < 100 ? 2 : 0).padStart(9)).join("")}` +
        `${((1200e6 * ofStep) / copy).toFixed(1).padStart(8)} %\n`,
    );
  }
  await engine.close?.();
  await wasm.close?.();
}

interface Measured {
  readonly name: string;
  readonly elements: number;
  readonly cases: readonly BlockOptions[];
  readonly updates: (weights: Values, steps: number) => Values[];
  /** Default 20. */
  readonly steps?: number;
}

/** Million weight-steps per second: of an additional step, and of a run of `steps` including its start and end. */
async function rates(engine: Engine, task: Measured): Promise<{ ofStep: number; ofRun: number }> {
  const { elements, cases, steps = 20 } = task;
  const million = (elements * cases.length) / 1e6;
  await engine.run(jobOf(task, 1));
  const [one, several] = [
    await secondsOf(engine, jobOf(task, 1)),
    await secondsOf(engine, jobOf(task, 1 + steps)),
  ];
  return { ofStep: (million * steps) / (several - one), ofRun: (million * (1 + steps)) / several };
}

function jobOf({ elements, cases, updates }: Measured, steps: number): LensJob {
  const bf16 = format("bf16");
  const draws = { distribution: gaussian, mean: 0, sigma: 0.02, format: bf16, key: weightKey(1, "w") };
  const weights = drawnWeights(elements, draws);
  return {
    // Rows as of a matrix of a model, for blocks of several.
    tensors: [
      {
        name: "w",
        shape: elements % 4096 === 0 ? [elements / 4096, 4096] : [elements],
        weights,
        updates: updates(weights, steps),
      },
    ],
    stepNumbers: Array.from({ length: steps }, (_, i) => i),
    cases: cases.map(schemeSettings),
  };
}

async function secondsOf(engine: Engine, job: LensJob): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const began = performance.now();
    await engine.run(job);
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

const tables = new Map<number, Float32Array>();

/** From 2^12 quantiles of a normal distribution. */
function drawn(size: number): Measured["updates"] {
  const half = 2 ** 11;
  const upper = Array.from({ length: half }, (_, i) => size * normalQuantile(0.5 + (i + 0.5) / (2 * half)));
  const table = tables.get(size) ?? Float32Array.from([...upper.toReversed().map((x) => -x), ...upper]);
  tables.set(size, table);
  return ({ length }, steps) =>
    Array.from({ length: steps }, (_, step) =>
      drawnValues(length, { table, key: stepKey(tensorKey(1, "w"), step) }),
    );
}

function simulated(weights: Values, steps: number): Values[] {
  const run = {
    optimizer: { lr: 1e-6, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: 0.01 },
    schedule: "constant" as const,
    warmup: 0,
    steps,
    noise: gaussian,
    snr: 0,
    seed: 1,
  };
  return simulatedUpdates({ run, name: "w", gradientScale: 1e-4 }, weights);
}

function hundredCases(): BlockOptions[] {
  return ["bf16", "fp16", "tf32", "e4m3fn", "e5m2"].flatMap((name) =>
    schemeNames.flatMap((scheme) =>
      roundings.slice(0, 5).map((rounding): BlockOptions => ({ format: name, scheme, rounding })),
    ),
  );
}

/** Bytes read and written per second by a copy kernel, four words per thread. */
async function copyRate(device: Device, words: number): Promise<number> {
  const code = `struct Params { ${parameterNames.map((name) => `${name}: u32`).join(", ")} }
${bindings.replaceAll(/constants: array<u32>|updates: array<u32>/g, (declaration) => declaration.replace("u32", "vec4<u32>"))}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) grid: vec3<u32>, @builtin(local_invocation_index) local: u32) {
let at = (id.x + id.y * grid.x) * 1024u + local;
let a = constants[at]; let b = constants[at + 256u]; let c = constants[at + 512u]; let d = constants[at + 768u];
updates[at] = a; updates[at + 256u] = b; updates[at + 512u] = c; updates[at + 768u] = d;
}`;
  await device.compile([code]);
  const length = Math.max(4096, Math.floor(Math.min(words, device.mostWords) / 4096) * 4096);
  const [constants, updates, ...others] = [length, length, 4, 4, 4].map((size) => device.buffer(size));
  const parameters = device.parameters([new Uint32Array(parameterNames.length)]);
  const [fp32, state, counts] = others;
  const bound = device.bind({ parameters, constants, updates, fp32, state, counts });
  const copies = 16;
  let best = Infinity;
  for (let i = 0; i <= repeats; i++) {
    const began = performance.now();
    device.launch(
      Array.from({ length: copies }, () => ({ kernel: code, bound, slot: 0, groups: length / 4096 })),
    );
    await device.done();
    if (i > 0) best = Math.min(best, (performance.now() - began) / 1000);
  }
  for (const buffer of [constants, updates, parameters, ...others]) buffer.destroy();
  return (8 * length * copies) / best;
}

/** The same count in torch on the same card, without sums, histogram and end; PYTHON names the interpreter. */
function torchRates(elements: number): string {
  const script = fileURLToPath(new URL("gpu_torch.py", import.meta.url));
  const { stdout, status } = spawnSync(process.env.PYTHON ?? "python3", [script, `${elements}`], {
    encoding: "utf8",
    timeout: 30_000,
  });
  return status === 0 ? stdout.trim() : "torch: not run, there is no python3 with torch and CUDA";
}
