import type { Engine, LensJob } from "../../../src/engine/engine.js";
import { type Backend, openDevice } from "../../../src/engine/gpujs/device.js";
import { gpujsEngine } from "../../../src/engine/gpujs/gpujs.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { webGpuEngine } from "../../../src/engine/webgpu/webgpu.js";
import { exponentOf } from "../../../src/format/float64.js";
import { gapAt } from "../../../src/format/round.js";
import type { Case } from "../../../src/lens/run/case.js";
import { summarizeCase } from "../../../src/lens/run/summarize.js";
import { type BlockOptions, schemeSettings } from "../../../src/update/block-settings.js";
import { updateSettings } from "../../../src/update/settings.js";
import { threefry2x32 } from "../../../src/update/threefry.js";
import { tensorOf } from "../values.js";

/** Jobs for a GPU, in Node and in a browser: nothing here may depend on Node. */

/** Numbers as text that passes between a test and a page. */
export interface TensorText {
  readonly name: string;
  /** fp64 weights and, for each step, fp32 updates, as bytes in base64. */
  readonly weights: string;
  readonly updates: readonly string[];
}

export type JobText =
  | {
      readonly tensors: readonly TensorText[];
      readonly cases: readonly BlockOptions[];
      readonly chunk?: number;
      readonly milestones?: readonly number[];
    }
  | {
      readonly adversarial: number;
      readonly steps: number;
      /** See {@link adversarial}; default 0. */
      readonly seed?: number;
      readonly cases: readonly BlockOptions[];
      readonly chunk?: number;
      readonly milestones?: readonly number[];
    };

/** An engine's result of a job. */
export interface Outcome {
  readonly cases: readonly Case[];
  /** Stored bits of every weight at the end, of each case: fp32 as bytes in base64. */
  readonly weights: readonly string[];
  readonly handedOver: number;
}

interface Counted {
  readonly cases: readonly Case[];
  /** What is stored of every weight at the end, of each case. */
  readonly stored: readonly Float32Array[];
  readonly handedOver: number;
}

async function count(engine: Engine, job: LensJob): Promise<Counted> {
  const elements = job.tensors.reduce((sum, { weights }) => sum + weights.length, 0);
  const offsets: number[] = [];
  for (const { weights } of job.tensors) offsets.push((offsets.at(-1) ?? 0) + weights.length);
  const stored = job.cases.map(() => new Float32Array(elements));
  let handedOver = 0;
  const tallies = await engine.run(job, {
    weights: (c, tensor, start, part) => stored[c].set(part, (offsets[tensor - 1] ?? 0) + start),
    handedOver: (weightSteps) => {
      handedOver = weightSteps;
    },
  });
  // NaN has many codes; which one results is unspecified.
  for (const numbers of stored) {
    for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) numbers[i] = Number.NaN;
  }
  return { cases: tallies.map(summarizeCase), stored, handedOver };
}

export async function outcomeOf(engine: Engine, job: LensJob): Promise<Outcome> {
  const { stored, ...rest } = await count(engine, job);
  return { ...rest, weights: stored.map(toText) };
}

export function jobOf(text: JobText): LensJob {
  const cases = text.cases.map(schemeSettings);
  const { milestones = [], chunk } = text;
  const common = { milestones, cases, ...(chunk === undefined ? {} : { chunk }) };
  if ("adversarial" in text)
    return {
      ...latestAdversarial(cases[0].format.name, text.adversarial, text.steps, text.seed ?? 0),
      ...common,
    };
  const tensors = text.tensors.map(({ name, weights, updates }) =>
    tensorOf(
      name,
      new Float64Array(bytesOf(weights)),
      ...updates.map((update) => new Float32Array(bytesOf(update))),
    ),
  );
  return { tensors, stepNumbers: tensors[0].updates.map((_, i) => i), ...common };
}

/** A digest of an engine's result, equal for two engines if all numbers are. */
export interface Digest {
  readonly text: string;
  /** The share of the updates handed over to the reference. */
  readonly handedOver: number;
}

export async function digestOf(engine: Engine, text: JobText): Promise<Digest> {
  const { cases, stored, handedOver } = await count(engine, jobOf(text));
  const parts = [new TextEncoder().encode(JSON.stringify(cases)), ...stored];
  const digests = await Promise.all(parts.map((part) => crypto.subtle.digest("SHA-256", part)));
  const { elements, steps } = cases[0].totals;
  return {
    text: digests.map((digest) => toText(new Float32Array(digest))).join(" "),
    handedOver: handedOver / (elements * steps),
  };
}

/** The differences between a GPU's and the reference's results of a job, run again. */
export async function differences(engine: Engine, text: JobText): Promise<string[]> {
  const job = jobOf(text);
  const ours = await count(engine, job);
  const theirs = await count(reference, job);
  return theirs.cases.flatMap((caseResult, c) => {
    const name = `${caseResult.format} ${caseResult.scheme} ${caseResult.rounding}`;
    const [found, expected] = [ours, theirs].map(({ stored }) => new Uint32Array(stored[c].buffer));
    const at = expected.findIndex((code, i) => code !== found[i]);
    const [counts, rightCounts] = [ours, theirs].map(({ cases }) => JSON.stringify(cases[c]));
    const from = [...rightCounts].findIndex((character, i) => character !== counts[i]) - 60;
    const excerpt = (text: string) => text.slice(Math.max(0, from), Math.max(0, from) + 90);
    return [
      ...(at < 0 ? [] : [`${name}: weight ${at} is ${found[at]}, expected ${expected[at]}`]),
      ...(counts === rightCounts ? [] : [`${name}: ${excerpt(counts)}, expected ${excerpt(rightCounts)}`]),
    ];
  });
}

/** An engine of a GPU in one of its places: webgpu, or gpujs by one of its backends. */
export type GpuPath = "webgpu" | `gpujs ${Backend}`;

export async function openGpu(path: GpuPath): Promise<Engine> {
  const engine = path === "webgpu" ? webGpuEngine() : gpujsEngine(() => openDevice(path.slice(6) as Backend));
  const reason = await engine.unavailable?.();
  if (reason) throw new Error(reason);
  return engine;
}

let latest: { readonly key: string; readonly numbers: ReturnType<typeof adversarial> } | null = null;

/** Generated once for consecutive jobs of one format. */
function latestAdversarial(
  name: string,
  elements: number,
  steps: number,
  seed: number,
): ReturnType<typeof adversarial> {
  const key = `${name} ${elements} ${steps} ${seed}`;
  if (latest?.key !== key) latest = { key, numbers: adversarial(name, elements, steps, seed) };
  return latest.numbers;
}

/** Elements that are alike in what they hold; see {@link adversarial}. */
export const stretch = 2 ** 17;

/**
 * Weights of a format and updates beside which they round in every way: nothing, all around half gaps and whole
 * ones, cancellation, a second step that meets what the first one left; in a few blocks also numbers that a device is
 * not given.
 *
 * Updates of zeros (those of cancellation, and blocks that a device is not given, among them) and updates far below a
 * gap lie in the last {@link stretch}: a device counts all bins between the smallest and the largest that it met so
 * far, which beside these takes four times as long.
 *
 * @param seed a whole number: others give other numbers.
 */
export function adversarial(
  name: string,
  elements: number,
  steps: number,
  seed = 0,
): Pick<LensJob, "tensors" | "stepNumbers"> {
  const { format } = updateSettings({ format: name });
  const weights = new Float32Array(elements);
  const updates = Array.from({ length: steps }, () => new Float32Array(elements));
  const lowest = Math.max(exponentOf(format.minPositive), -60);
  const highest = Math.min(format.maxExponent, 20) - 1;
  for (let i = 0; i < elements; i++) {
    const [a, b] = threefry2x32([format.bits, format.precision], [i, 7 + 2 * seed]);
    const isWide = Math.floor(i / stretch) === Math.floor((elements - 1) / stretch);
    const zero = isWide && (a >>> 12) % 50 < 4;
    const exponent = zero ? Math.min(highest, -20) : lowest + (a % (highest - lowest + 1));
    const gap = gapAt(exponent, format);
    // Near powers of two, near the largest significand, anywhere, and no number of the format at all.
    const shapes = [
      2 ** exponent,
      2 ** exponent + gap,
      2 ** (exponent + 1) - gap,
      (1 + b / 2 ** 32) * 2 ** exponent,
    ];
    const weight = shapes[(a >>> 8) % 4] * (b % 2 === 0 ? 1 : -1);
    weights[i] = zero ? (b % 2 === 0 ? 0 : -0) : weight;
    for (const [s, ofStep] of updates.entries()) {
      const [c, d] = threefry2x32([format.bits, s], [i, 8 + 2 * seed]);
      const parts = [
        0,
        -0,
        0.5,
        0.5 + 2 ** -20,
        0.5 - 2 ** -20,
        0.25,
        0.75,
        1,
        1.5,
        d / 2 ** 32,
        d / 2 ** (isWide ? 40 : 32),
      ];
      const part = parts[c % parts.length] * gap * ((c >>> 8) % 2 === 0 ? 1 : -1);
      const cancels = (c >>> 9) % 40 === 0 && (isWide || s === steps - 1);
      ofStep[i] = cancels ? -weight : Math.abs(part) < 2 ** -79 ? 0 : part;
    }
    if (!isWide || Math.floor(i / 4096) % 12 !== 11) continue;
    const beyond = [
      Number.NaN,
      Infinity,
      -Infinity,
      2 ** -149,
      2 ** -130,
      format.maxFinite,
      -format.maxFinite,
      2 ** 127,
    ];
    if (b % 11 === 0) weights[i] = beyond[(b >>> 8) % 8];
    if (b % 13 === 0) updates[0][i] = beyond[(b >>> 12) % 8];
  }
  return { tensors: [tensorOf("adversarial", weights, ...updates)], stepNumbers: updates.map((_, i) => i) };
}

export function toText(numbers: Float32Array | Float64Array): string {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

function bytesOf(text: string): ArrayBuffer {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}
