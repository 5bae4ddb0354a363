import type { SelfCheck } from "../../lens/result.js";
import type { CaseTally } from "../../lens/summarize.js";
import type { CaseSettings } from "../../update/optimizer.js";
import { type UpdateSettings, updateSettings } from "../../update/settings.js";
import type { Engine, LensJob, Observer } from "../engine.js";
import { reference } from "../reference/reference.js";
import { selfCheck } from "../self-check.js";
import { agrees } from "../twin-check.js";
import { backends, type Device, openDevice } from "./device.js";
import { runBatches } from "./run-batches.js";

/** What the self-check proves where no cases are named: each scheme and each rounding once, in formats of every kind. */
const proven: readonly UpdateSettings[] = [
  updateSettings({ format: "bf16" }),
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "bf16", rounding: "stochastic" }),
  updateSettings({ format: "bf16", scheme: "kahan" }),
  updateSettings({ format: "fp16", scheme: "two-term" }),
  updateSettings({ format: "e4m3fn", rounding: "to-odd" }),
  updateSettings({ format: "e5m2", rounding: "nearest-away" }),
  updateSettings({ format: "e2m1fn", rounding: "toward-zero" }),
  updateSettings({ format: "e4m3fnuz", rounding: "toward-positive" }),
  updateSettings({ format: "tf32", rounding: "toward-negative" }),
  updateSettings({ format: "fp32" }),
];

/**
 * The GPU through gpu.js: recorded updates by every scheme, in every format and rounding, under fp32 opmath.
 *
 * @param open the device to use; by default the first backend that this machine has.
 */
export function gpuEngine(open: () => Promise<Device> = openFirst): Engine {
  let device: Device | null = null;
  let opening: Promise<Device> | null = null;
  /** What was proven on the device, by settings. */
  const checks = new Map<string, Promise<boolean>>();
  let literal: Promise<SelfCheck> | null = null;

  async function opened(): Promise<Device> {
    opening ??= open();
    device = await opening;
    return device;
  }

  const engine: Engine = {
    name: "gpu",
    // Some two seconds, in which the CPU does as many.
    worthFrom: 2 ** 31,
    get device() {
      return device === null ? "GPU" : `${device.name}, by ${device.backend} through gpu.js, fp32`;
    },

    async unavailable() {
      try {
        await opened();
        return null;
      } catch (error) {
        opening = null;
        return error instanceof Error ? error.message : String(error);
      }
    },

    refuses: refusal,

    remark: ({ tensors }) =>
      tensors.some(({ updates }) => updates.some(({ simulated }) => simulated))
        ? "AdamW's updates were computed on the CPU and uploaded: its square roots and divisions are not exact on GPUs."
        : null,

    async selfCheck(cases = proven) {
      literal ??= selfCheck(engine);
      let { passed, failed, firstFailure } = await literal;
      for (const of of cases) {
        const key = nameOf(of);
        let check = checks.get(key);
        if (!check) {
          check = agrees(engine, reference, [of]);
          checks.set(key, check);
        }
        if (await check) passed += 1;
        else {
          failed += 1;
          firstFailure ??= `${key}: other counts than the reference`;
        }
      }
      return { passed, failed, firstFailure };
    },

    async run(job: LensJob, observer?: Observer): Promise<CaseTally[]> {
      const refused = refusal(job.cases);
      if (refused) throw new RangeError(`engine gpu: ${refused}`);
      return runBatches(job, await opened(), observer);
    },

    async close() {
      await device?.destroy();
      device = opening = literal = null;
      checks.clear();
    },
  };
  return engine;
}

export const gpu = gpuEngine();

function refusal(cases: readonly CaseSettings[]): string | null {
  for (const of of cases) {
    if ("recipe" in of) return "the square roots and divisions of an optimizer are not exact on GPUs";
    if (of.opmath === "exact") return "opmath exact needs more than the fp32 of GPUs";
  }
  return null;
}

async function openFirst(): Promise<Device> {
  const reasons: string[] = [];
  for (const backend of backends) {
    try {
      return await openDevice(backend);
    } catch (error) {
      reasons.push(`${backend}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(`no GPU to be had: ${reasons.join("; ")}`);
}

function nameOf(settings: CaseSettings): string {
  const { format, ...rest } = settings;
  return JSON.stringify({ format: format.name, ...rest });
}
