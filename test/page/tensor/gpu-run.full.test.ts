import { afterAll, beforeAll, expect, it } from "vitest";
import { type Device, openDevice } from "../../../src/engine/webgpu/device.js";
import { CpuRun } from "../../../src/page/tensor/cpu-run.js";
import { GpuRun } from "../../../src/page/tensor/gpu-run.js";
import { pixelOf, type Span } from "../../../src/page/tensor/paint.js";
import type { MatrixRun, RunSettings } from "../../../src/page/tensor/run.js";
import { prepareDawn } from "../../support/dawn.js";
import { describeNeeding, requirements } from "../../support/requirements.js";

const settings: RunSettings = {
  side: 256,
  sigma: 0.028,
  lr: 1e-4,
  betas: [0.9, 0.999],
  signal: 0.2,
  seed: 7,
  storages: [{ format: "bf16", scheme: "in-place", rounding: "stochastic" }],
};

const inks = {
  ground: pixelOf("#101010"),
  larger: pixelOf("#0000ff"),
  smaller: pixelOf("#ffff00"),
  nonfinite: pixelOf("#ff0000"),
};

async function pixelsOf(run: MatrixRun, ofCase: number, span: Span, side = 256): Promise<Uint32Array> {
  const pixels = new Uint32Array(side ** 2);
  // A power of two: shades are computed in fp64 on the CPU and in fp32 on the GPU.
  await run.paint(ofCase, span, 2 ** -12, inks, pixels);
  return pixels;
}

/** Colours of squares of 4 x 4 pixels of a picture of 256 x 256, rounded to the nearest. */
function meansOf(pixels: Uint32Array): Uint32Array {
  return Uint32Array.from({ length: 64 ** 2 }, (_, p) => {
    let mean = 0xff;
    for (const shift of [16, 8, 0]) {
      let sum = 0;
      for (let row = 0; row < 4; row++)
        for (let column = 0; column < 4; column++)
          sum += (pixels[(4 * Math.floor(p / 64) + row) * 256 + 4 * (p % 64) + column] >>> shift) & 0xff;
      mean = mean * 256 + Math.floor((sum + 8) / 16);
    }
    return mean;
  });
}

describeNeeding(requirements.vulkan, "a matrix in training on the GPU", () => {
  let device: Device;
  const open = (given: RunSettings) => GpuRun.open(given, async () => device);
  beforeAll(async () => {
    prepareDawn();
    device = await openDevice();
  });
  afterAll(() => device.destroy());

  const storages: readonly RunSettings["storages"][] = [
    settings.storages,
    [
      { format: "fp16", scheme: "kahan", rounding: "nearest-even" },
      { format: "e4m3fn", scheme: "master", rounding: "toward-zero" },
    ],
  ];
  it.each(storages)(
    "has the CPU's counts, sums and pictures, however often it is looked at: %o",
    async (...stored) => {
      const given = { ...settings, storages: stored };
      const [ours, theirs] = [await open(given), await CpuRun.open(given)];
      for (const steps of [0, 1, 3]) {
        for (const run of [ours, theirs]) await run.advance(steps);
        expect(await ours.counts()).toEqual(await theirs.counts());
        for (const c of ours.cases.keys())
          for (const span of ["start", "step"] as const)
            expect(await pixelsOf(ours, c, span)).toEqual(await pixelsOf(theirs, c, span));
      }
      expect(ours.step).toBe(4);
      const full = await pixelsOf(ours, 0, "start");
      expect(await pixelsOf(ours, 0, "start", 64)).toEqual(meansOf(full));
      ours.close();
    },
  );
});
