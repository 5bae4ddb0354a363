import type { CaseTally } from "../../lens/run/summarize.js";
import type { Engine, LensJob, Observer } from "../engine.js";
import { refusal } from "../lane/refusal.js";
import { proofOf, provenCases, provenRecipes } from "../proof.js";
import { type Device, openDevice } from "./device.js";
import { runOnDevice } from "./run.js";

const proven = [...provenCases("exact"), ...provenRecipes()];

/**
 * The GPU through WebGPU, by integers alone: recorded, drawn and simulated updates by every scheme, in every format and
 * rounding, all numbers.
 *
 * @param open the device to use; by default that of the browser, or of Dawn in Node.
 */
export function webGpuEngine(open: () => Promise<Device> = openDevice): Engine {
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
    name: "webgpu",
    // Some seconds to compile kernels, in which the CPU does as many.
    worthFrom: 2 ** 31,
    get device() {
      return device === null ? "GPU" : `${device.name}, by WebGPU, integers`;
    },

    async unavailable() {
      try {
        await opened();
        return null;
      } catch (error) {
        opening = null;
        return `no WebGPU device: ${error instanceof Error ? error.message : error}`;
      }
    },

    refuses: refusal,

    selfCheck(cases = proven) {
      proof ??= proofOf(engine, { alone: true });
      return proof(cases);
    },

    async run(job: LensJob, observer?: Observer): Promise<CaseTally[]> {
      return runOnDevice(job, await opened(), observer);
    },

    async close() {
      device?.destroy();
      device = opening = proof = null;
    },
  };
  return engine;
}

export const webgpu = webGpuEngine();
