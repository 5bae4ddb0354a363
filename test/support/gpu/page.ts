import type { Engine } from "../../../src/engine/engine.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { differences, digestOf, type GpuPath, type JobText, jobOf, openGpu, outcomeOf } from "./jobs.js";

/** What a test calls in the browser. */
const engines = new Map<GpuPath, Promise<Engine>>();

function engine(path: GpuPath): Promise<Engine> {
  let opened = engines.get(path);
  if (!opened) {
    opened = openGpu(path);
    engines.set(path, opened);
  }
  return opened;
}

Object.assign(globalThis, {
  gpuPage: {
    device: async (path: GpuPath) => (await engine(path)).device,
    selfCheck: async (path: GpuPath, cases?: readonly UpdateOptions[]) =>
      (await engine(path)).selfCheck(cases?.map(updateSettings)),
    digest: async (path: GpuPath, text: JobText) => digestOf(await engine(path), text),
    differences: async (path: GpuPath, text: JobText) => differences(await engine(path), text),
    outcome: async (path: GpuPath, text: JobText) => outcomeOf(await engine(path), jobOf(text)),
  },
});
