import type { CaseTally } from "../../lens/run/summarize.js";
import { sharesScales } from "../../update/block-settings.js";
import type { CaseSettings } from "../../update/optimizer.js";
import type { Engine, LensJob, Observer } from "../engine.js";
import { proofOf, provenCases } from "../proof.js";
import { backends, type Device, openDevice } from "./device.js";
import { runBatches } from "./run-batches.js";

const proven = provenCases("fp32");

/**
 * The GPU through gpu.js: recorded updates by every scheme, in every format and rounding, under fp32 opmath.
 *
 * @param open the device to use; by default the first backend that this machine has.
 */
export function gpujsEngine(open: () => Promise<Device> = openFirst): Engine {
  let device: Device | null = null;
  let opening: Promise<Device> | null = null;
  /** Holds for the device that is open. */
  let proof: ReturnType<typeof proofOf> | null = null;

  async function opened(): Promise<Device> {
    opening ??= open();
    device = await opening;
    return device;
  }

  const engine: Engine = {
    name: "gpujs",
    // Start-up takes some two seconds, in which the CPU does this many.
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
      tensors.some(({ updates }) => updates.some(({ origin }) => origin?.kind === "simulated"))
        ? "AdamW's updates were computed on the CPU and uploaded: its square roots and divisions are not exact on GPUs."
        : null,

    selfCheck(cases = proven) {
      proof ??= proofOf(engine);
      return proof(cases);
    },

    async run(job: LensJob, observer?: Observer): Promise<CaseTally[]> {
      const refused = refusal(job.cases);
      if (refused) throw new RangeError(`engine gpujs: ${refused}`);
      return runBatches(job, await opened(), observer);
    },

    async close() {
      await device?.destroy();
      device = opening = proof = null;
    },
  };
  return engine;
}

export const gpujs = gpujsEngine();

function refusal(cases: readonly CaseSettings[]): string | null {
  for (const settings of cases) {
    if ("recipe" in settings) return "the square roots and divisions of an optimizer are not exact on GPUs";
    if (sharesScales(settings)) return "it takes no formats with shared scales";
    if (settings.opmath === "exact") return "opmath exact needs more than the fp32 of GPUs";
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
  throw new Error(`no GPU available: ${reasons.join("; ")}`);
}
