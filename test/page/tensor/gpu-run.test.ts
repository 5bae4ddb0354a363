import { expect, test, vi } from "vitest";
import { readState } from "../../../src/page/location.js";
import { runSettings, tensorFields } from "../../../src/page/tensor/presets.js";

test("a run where no GPU opens is refused by the class of its error, whatever the sentence", async () => {
  // A module of its own: a page keeps the GPU that it opened, and other tests of this process open one.
  vi.resetModules();
  const { GpuRun, NoGpu } = await import("../../../src/page/tensor/gpu-run.js");
  const settings = runSettings(readState(tensorFields, new Map([["side", "1024"]])));
  const opened = GpuRun.open(settings, async () => {
    throw new Error("a driver's own words");
  });
  await expect(opened).rejects.toThrow(NoGpu);
  await expect(opened).rejects.toThrow("a driver's own words");
});
