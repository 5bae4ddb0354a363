import type { CaseSettings } from "../../update/optimizer.js";
import { deviceEngine } from "../device-engine.js";
import type { Engine } from "../engine.js";
import { provenCases } from "../proof.js";
import { backends, type Device, openDevice } from "./device.js";
import { runBatches } from "./run-batches.js";

/**
 * The GPU through gpu.js. Supports recorded updates with every scheme, format and rounding under fp32 opmath.
 *
 * @param open opens the device; default the first available backend.
 */
export function gpujsEngine(open: () => Promise<Device> = openFirst): Engine {
  return deviceEngine({
    name: "gpujs",
    open,
    describe: ({ name, backend }) => `${name}, by ${backend} through gpu.js, fp32`,
    lacks: (message) => message,
    refuses: refusal,
    remark: ({ tensors }) =>
      tensors.some(({ updates }) => updates.some(({ origin }) => origin?.kind === "simulated"))
        ? "AdamW's updates were computed on the CPU and uploaded: its square roots and divisions are not exact on GPUs."
        : null,
    proven: provenCases("fp32"),
    alone: false,
    run: runBatches,
    close: (device) => device.destroy(),
  });
}

export const gpujs = gpujsEngine();

function refusal(cases: readonly CaseSettings[]): string | null {
  for (const settings of cases) {
    if (settings.recipe) return "the square roots and divisions of an optimizer are not exact on GPUs";
    if (settings.blocks) return "it takes no formats with shared scales";
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
