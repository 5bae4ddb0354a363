import { describe, expect, it } from "vitest";
import { dequantize, quantize } from "../../../src/format/block/quantize.js";
import { schemeSettings } from "../../../src/update/block-settings.js";
import { counted, drawnRun } from "./count.js";

const fl = Math.fround;

/**
 * SGD with momentum and ECO as its paper has it, on whole tensors: m = beta m + g; the weights take -lr m and are quantized;
 * the momentum gets (1 / lr) (1 - 1 / beta) times the rounding error. In fp64.
 */
function ecoByHand(weights: Float32Array, gradients: readonly Float32Array[], lr: number, beta: number) {
  const shape = [weights.length];
  let stored = dequantize(quantize(weights, shape, "mxfp4"));
  const momentum = new Float64Array(weights.length);
  for (const gradient of gradients) {
    const proposed = stored.map((w, i) => {
      momentum[i] = beta * momentum[i] + gradient[i];
      return w - lr * momentum[i];
    });
    stored = dequantize(quantize(proposed, shape, "mxfp4"));
    for (let i = 0; i < momentum.length; i++) {
      momentum[i] += (1 / lr) * (1 - 1 / beta) * (proposed[i] - stored[i]);
    }
  }
  return stored;
}

/** The updates of the same optimizer where nothing is rounded. */
function plainUpdates(gradients: readonly Float32Array[], lr: number, beta: number): Float32Array[] {
  const momentum = new Float64Array(gradients[0].length);
  return gradients.map((gradient) =>
    Float32Array.from(gradient, (g, i) => {
      momentum[i] = beta * momentum[i] + g;
      return -lr * momentum[i];
    }),
  );
}

describe("eco, the rounding error in the momentum", () => {
  // Powers of two and gradients of few bits, so that fp32 and fp64 compute the same numbers.
  const [lr, beta, steps] = [2 ** -6, 0.5, 12];
  const length = 96;
  const weights = Float32Array.from({ length }, (_, i) => ((i * 37) % 64) / 64 - 0.5);
  const gradients = Array.from({ length: steps }, (_, t) =>
    Float32Array.from({ length }, (_, i) => (((i * 13 + t * 29) % 16) - 8) / 4),
  );

  it("stores what SGD stores whose momentum is given the error as the paper says", async () => {
    const updates = plainUpdates(gradients, lr, beta);
    const run = { shape: [length], weights, updates };
    const { numbers } = await counted(run, { format: "mxfp4", scheme: "eco", momentum: beta });
    expect(numbers).toEqual(ecoByHand(weights, gradients, lr, beta));
  });

  it("retains what storing in place loses", async () => {
    const run = drawnRun([8, 64], 5, 40);
    const [inPlace, eco] = await Promise.all(
      (["in-place", "eco"] as const).map((scheme) => counted(run, { format: "mxfp8-e4m3", scheme })),
    );
    expect(inPlace.result.totals.kept).toBe(0);
    expect(eco.result.totals.kept).toBeGreaterThan(0);
    expect(Math.abs(eco.result.end.retained! - 1)).toBeLessThan(0.01);
    expect(eco.result).toMatchObject({ scheme: "eco", momentum: fl(0.9) });
  });

  it("gives everything back at the next step where beta is 0", async () => {
    // 0.25 is half of mxfp4's least step beside 3: lost once, and shown with the second.
    const run = {
      shape: [2],
      weights: Float32Array.of(3, 1),
      updates: [Float32Array.of(0, 0.2), Float32Array.of(0, 0.2)],
    };
    const { numbers, result } = await counted(run, { format: "mxfp4", scheme: "eco", momentum: 0 });
    expect([...numbers]).toEqual([3, 1.5]);
    expect(result.steps[0]).toMatchObject({ none: 1, kept: 1 });
    expect(result.steps[1]).toMatchObject({ none: 1, moved: 1 });
  });

  it.each([
    [{ format: "bf16", scheme: "eco" }, "scheme eco: expected a format with shared scales"],
    [{ format: "mxfp4", scheme: "eco", momentum: 1 }, "momentum: expected 0 to less than 1, found 1"],
    [{ format: "mxfp4", scales: "none" as "kept" }, "unknown scales"],
  ] as const)("%o is refused", (options, message) => {
    expect(() => schemeSettings(options)).toThrow(message);
  });
});

describe("scales that are kept", () => {
  it.each(["mxfp4", "nvfp4", "fp8-128x128"])(
    "%s: no number changes by a scale, and what outgrows it is clipped",
    async (format) => {
      const run = drawnRun([8, 64], 6, 6);
      run.updates[2].fill(0.5);
      const { result } = await counted(run, { format, scheme: "master", scales: "kept" });
      expect(result.scales).toBe("kept");
      expect(result.totals).toMatchObject({ collateral: 0, shared: { blockScales: 0, tensorScales: 0 } });
      expect(result.steps[1].shared!.clipped).toBeLessThan(result.steps[2].shared!.clipped / 10);
      expect(result.totals.zeros).toBe(result.totals.none);
      // Cut into chunks or not: the scale of the tensor is that of its start.
      expect((await counted(run, { format, scheme: "in-place", scales: "kept" }, 4096)).result).toEqual(
        (await counted(run, { format, scheme: "in-place", scales: "kept" })).result,
      );
    },
  );
});
