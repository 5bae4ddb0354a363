import { describe, expect, it } from "vitest";
import { blockFormats } from "../../../src/format/block/block-format.js";
import { dequantize, quantize } from "../../../src/format/block/quantize.js";
import { schemeSettings } from "../../../src/update/block-settings.js";
import { randomBits, stepKey, tensorKey } from "../../../src/update/threefry.js";
import { sized } from "../../support/tier.js";
import { byHand } from "./by-hand.js";
import { counted, drawnRun, expectCounts } from "./count.js";

/** Every format, under the rules that it has. */
const formats = [...blockFormats.keys()].flatMap((name, i) => {
  const rules = name.startsWith("mx")
    ? ["floor", "ceil", "rceil", "even", "compressed-tensors"]
    : name.startsWith("nvfp4")
      ? ["torchao", "transformer-engine"]
      : ["amax", "power-of-two"];
  // In the quick tier MX formats share the rules, which the tests of src/format try on each.
  const some = rules.filter((_, r) => sized({ quick: rules.length < 5 || r === i % 5, full: true }));
  return some.map((rule) => `${name}:${rule}`);
});

/** Shapes with tails, of one row, of one number, with matrices side by side, and longer than a chunk. */
const shapes: readonly (readonly number[])[] = [[70], [5, 50], [2, 19, 20], [1], []];
const large = [18, 250];

describe("a view of an fp32 master, by the rules written out", () => {
  it.each(formats)("%s: classes, codes, scales, bits, what is clipped and flushed", async (format) => {
    for (const [seed, shape] of shapes.entries()) {
      const run = drawnRun(shape, seed + 1);
      const { steps, numbers } = byHand(run, format, true);
      const ours = await counted(run, { format, scheme: "master" });
      expectCounts(ours.result, steps);
      expect(ours.numbers).toEqual(numbers);
    }
  });

  it.each(["mxfp8-e4m3", "mxfp4:rceil", "nvfp4", "nvfp4:transformer-engine", "nvfp4-16x16", "fp8-128x128"])(
    "%s: the same from its bf16 view, and however it is cut into chunks",
    async (format) => {
      const run = drawnRun(large, 9, sized({ quick: 2, full: 6 }));
      const { steps, numbers, start, end } = byHand(run, format, true, true);
      const options = { format, scheme: "master", through: "bf16" } as const;
      const whole = await counted(run, options);
      expectCounts(whole.result, steps);
      expect(whole.numbers).toEqual(numbers);
      const changed = end.codes.filter((code, i) => code !== start.codes[i]).length;
      expect(whole.result.end.shared).toMatchObject({ codes: changed, blocks: end.scales.length });
      const cut = await counted(run, options, 4096);
      expect(cut.numbers).toEqual(numbers);
      expect(cut.result).toEqual(whole.result);
    },
  );

  it("numbers that are none: their blocks are left out of every ratio", async () => {
    const run = drawnRun([2, 64], 3, 3);
    run.weights[3] = NaN;
    run.updates[1][70] = Infinity;
    for (const format of ["mxfp8-e4m3", "mxfp8-e5m2", "mxfp4", "nvfp4", "fp8-128x128"]) {
      const { steps } = byHand(run, format, true);
      const { result } = await counted(run, { format, scheme: "master" });
      expectCounts(result, steps);
      expect(result.totals.nonfinite).toBeGreaterThan(32 * 3);
    }
  });

  it.each(["stochastic", "toward-zero"] as const)(
    "elements are rounded %s, in every chunk alike; weights start by nearest-even",
    async (rounding) => {
      const run = drawnRun(large, 12, 2);
      for (const format of ["mxfp8-e4m3", "nvfp4"]) {
        const options = { format, scheme: "master", rounding, seed: 5 } as const;
        const { numbers, result } = await counted(run, options, 4096);
        const master = run.weights.map((w, i) =>
          Math.fround(Math.fround(w + run.updates[0][i]) + run.updates[1][i]),
        );
        const key = stepKey(tensorKey(5, "w"), 1);
        const bits = { randomBits: (i: number) => randomBits(key, i, 0) };
        const last = quantize(master, large, format, { rounding, ...(rounding === "stochastic" && bits) });
        expect(numbers).toEqual(dequantize(last));
        const start = dequantize(quantize(run.weights, large, format));
        expect(result.totals.castChanged).toBe(start.filter((x, i) => x !== run.weights[i]).length);
        expect((await counted(run, options)).result).toEqual(result);
      }
    },
  );

  it("sparsity by the definitions: with zeros among the collateral", async () => {
    const { result } = await counted(drawnRun([8, 64], 4, 8), { format: "nvfp4", scheme: "master" });
    const { none, lost, kept, moved, collateral, zeros, ...totals } = result.totals;
    const n = 8 * 64 * 8;
    expect(none + lost + kept + moved + collateral).toBe(n);
    expect(zeros).toBeGreaterThan(none);
    expect(totals.realSparsity).toBe(zeros / n);
    expect(totals.apparentSparsity).toBe((none + lost + kept) / n);
    expect(totals.hiddenShare).toBe((lost + kept) / (n - zeros));
    expect(result.end.retained).toBe(1);
  });
});

describe("what does not go together", () => {
  it.each([
    [
      { format: "mxfp4", scheme: "kahan" },
      "mxfp4 has shared scales: expected scheme master, in-place or eco, found kahan",
    ],
    [{ format: "mxfp4", scheme: "in-place", through: "bf16" }, "through bf16: expected scheme master"],
    [{ format: "bf16", scheme: "master", through: "bf16" }, "expected a format with shared scales"],
    [{ format: "mxfp4:torchao", scheme: "master" }, "unknown scale rule"],
  ] as const)("%o", (options, message) => {
    expect(() => schemeSettings(options)).toThrow(message);
  });
});
