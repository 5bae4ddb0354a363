import { describe, expect, it } from "vitest";
import { byHand } from "./by-hand.js";
import { counted, drawnRun, expectCounts } from "./count.js";

describe("codes that are read, updated and quantized again", () => {
  it.each(["mxfp8-e4m3", "mxfp6-e2m3", "mxfp4:even", "nvfp4", "nvfp4:transformer-engine", "fp8-128x128"])(
    "%s: classes, codes and scales, by the rules written out",
    async (format) => {
      for (const [seed, shape] of [[70], [5, 50], [2, 19, 20]].entries()) {
        const run = drawnRun(shape, seed + 21);
        const { steps, numbers } = byHand(run, format, false);
        const ours = await counted(run, { format, scheme: "in-place" });
        expectCounts(ours.result, steps);
        expect(ours.numbers).toEqual(numbers);
        expect(ours.result.totals.kept).toBe(0);
        expect(ours.result.end.retained).toBe(ours.result.end.visible);
      }
    },
  );

  it("a tensor whose scale follows from its own weights is one chunk, whatever is asked for", async () => {
    const run = drawnRun([18, 250], 8, 2);
    const options = { format: "nvfp4", scheme: "in-place" } as const;
    const { result, numbers } = await counted(run, options, 4096);
    expect(numbers).toEqual(byHand(run, "nvfp4", false).numbers);
    expect(result).toEqual((await counted(run, options)).result);
  });
});
