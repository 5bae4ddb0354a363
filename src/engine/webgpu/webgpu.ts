import { deviceEngine } from "../device-engine.js";
import type { Engine } from "../engine.js";
import { provenBlocks, provenCases, provenRecipes, provenShared } from "../proof.js";
import { refusal } from "./admission.js";
import { type Device, openDevice } from "./device.js";
import { runOnDevice } from "./run.js";

/**
 * The GPU through WebGPU, with integer arithmetic only: recorded, drawn and simulated updates, every scheme,
 * format and rounding, all numbers.
 *
 * @param open opens the device; by default that of the browser, or Dawn's in Node.
 */
export function webGpuEngine(open: () => Promise<Device> = openDevice): Engine {
  return deviceEngine({
    name: "webgpu",
    open,
    describe: ({ name }) => `${name}, by WebGPU, integers`,
    lacks: (message) => `no WebGPU device: ${message}`,
    refuses: refusal,
    proven: [
      ...provenCases("exact"),
      ...provenRecipes(),
      ...provenShared(),
      ...provenBlocks().filter((settings) => refusal([settings]) === null),
    ],
    alone: true,
    run: runOnDevice,
    close: (device) => device.destroy(),
  });
}

export const webgpu = webGpuEngine();
