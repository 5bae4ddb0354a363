import { expect, test } from "vitest";
import { readState } from "../../../src/page/location.js";
import { GpuRun, NoGpu } from "../../../src/page/tensor/gpu-run.js";
import { runSettings, tensorFields } from "../../../src/page/tensor/presets.js";

test("a run where no GPU opens is refused by the class of its error, whatever the sentence", async () => {
  const settings = runSettings(readState(tensorFields, new Map([["side", "1024"]])));
  const opened = GpuRun.open(settings, async () => {
    throw new Error("a driver's own words");
  });
  await expect(opened).rejects.toThrow(NoGpu);
  await expect(opened).rejects.toThrow("a driver's own words");
});
