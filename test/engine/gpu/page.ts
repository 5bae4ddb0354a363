import type { Engine } from "../../../src/engine/engine.js";
import type { Backend } from "../../../src/engine/gpu/device.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { differences, digestOf, type JobText, jobOf, openGpu, outcomeOf } from "./jobs.js";

/** What a test calls in the browser. */
const engines = new Map<Backend, Promise<Engine>>();

function engine(backend: Backend): Promise<Engine> {
  let opened = engines.get(backend);
  if (!opened) {
    opened = openGpu(backend);
    engines.set(backend, opened);
  }
  return opened;
}

Object.assign(globalThis, {
  gpuPage: {
    device: async (backend: Backend) => (await engine(backend)).device,
    selfCheck: async (backend: Backend, cases?: readonly UpdateOptions[]) =>
      (await engine(backend)).selfCheck(cases?.map(updateSettings)),
    digest: async (backend: Backend, text: JobText) => digestOf(await engine(backend), text),
    differences: async (backend: Backend, text: JobText) => differences(await engine(backend), text),
    outcome: async (backend: Backend, text: JobText) => outcomeOf(await engine(backend), jobOf(text)),
  },
});
