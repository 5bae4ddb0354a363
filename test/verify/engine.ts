import type { Engine, LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { formats } from "../../src/format/registry.js";
import { overflows, roundings } from "../../src/format/round.js";
import type { SchemeName } from "../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { adversarialRun } from "../support/adversarial.js";
import { adversarial } from "../support/gpu/jobs.js";
import { outcomeOf } from "../support/outcome.js";
import { tensorOf } from "../support/values.js";
import type { Count } from "./count.js";

const STEPS = 3;
/** Of a piece for a GPU, which works by blocks of 4,096. */
const GPU_ELEMENTS = 150_000;
const GPU_STEPS = 2;
const everyFormat = [...formats.values()];

const everyEnd = (settings: Pick<UpdateOptions, "format" | "scheme" | "seed">) =>
  roundings.flatMap((rounding) =>
    overflows.map((overflow) => updateSettings({ ...settings, rounding, overflow })),
  );

/** One format a piece, every rounding and overflow: all counts, sums and stored bits of an engine and of the reference. */
export function engine(scheme: SchemeName, tested: Pick<Engine, "run"> = wasm) {
  return async (piece: number, count: Count): Promise<void> => {
    const format = everyFormat[piece % everyFormat.length]!;
    // From a part of a block to more than one.
    const elements = 1000 + 800 * (piece % 7);
    const { weights, updates } = adversarialRun(
      format,
      Math.imul(piece + 1, 0x9e37_79b1) | 1,
      elements,
      STEPS,
    );
    const cases = everyEnd({ format, scheme, seed: piece });
    const job: LensJob = { tensors: [tensorOf("w", weights, ...updates)], stepNumbers: [0, 1, 5], cases };
    await compare(tested, job, piece, count);
  };
}

/** The same of a GPU. Of the 37 blocks of a piece gpujs is given all but one, which has NaN, Inf and subnormals. */
export function gpuEngineOn(scheme: SchemeName, tested: Pick<Engine, "run">, elements = GPU_ELEMENTS) {
  return async (piece: number, count: Count): Promise<void> => {
    const format = everyFormat[piece % everyFormat.length]!;
    const cases = everyEnd({ format, scheme, seed: piece });
    const job = { ...adversarial(format.name, elements, GPU_STEPS, piece), cases };
    await compare(tested, job, piece, count);
  };
}

async function compare(
  tested: Pick<Engine, "run">,
  job: LensJob,
  piece: number,
  count: Count,
): Promise<void> {
  const [ours, theirs] = [await outcomeOf(tested, job), await outcomeOf(reference, job)];
  for (const [c, { format, scheme, rounding, overflow }] of job.cases.entries()) {
    count.cases += job.tensors[0].weights.length * job.stepNumbers.length;
    if (JSON.stringify(ours[c]) === JSON.stringify(theirs[c])) continue;
    count.miss(() => `piece ${piece}: ${format.name} ${scheme} ${rounding} ${overflow}`);
  }
}
