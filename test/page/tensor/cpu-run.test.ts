import { describe, expect, test } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { summarizeCase } from "../../../src/lens/run/summarize.js";
import { CpuRun } from "../../../src/page/tensor/cpu-run.js";
import { Painter } from "../../../src/page/tensor/frame.js";
import { paintChanges, pixelOf } from "../../../src/page/tensor/paint.js";
import { jobOf, type RunSettings } from "../../../src/page/tensor/run.js";

const settings: RunSettings = {
  side: 64,
  sigma: 0.028,
  lr: 1e-5,
  betas: [0.9, 0.999],
  signal: 0.2,
  seed: 7,
  storages: [
    { format: "bf16", scheme: "kahan", rounding: "nearest-even" },
    { format: "fp16", scheme: "in-place", rounding: "stochastic" },
  ],
};

const inks = { ground: 1, larger: pixelOf("#0000ff"), smaller: pixelOf("#ffff00"), nonfinite: 2 };

describe("a run that is looked at while it goes on", () => {
  test("counts what the reference counts of the whole at once", async () => {
    const run = await CpuRun.open(settings);
    // Looking must not change what is counted.
    for (const until of [3, 4, 9]) {
      await run.advance(until - run.step);
      await run.counts();
    }
    const { run: shown, step } = await run.counts();
    const job = jobOf(settings, 9);
    const whole = (await reference.run(job)).map(summarizeCase);
    for (const [c, { totals, end, histogram }] of shown.entries()) {
      const { elements, steps, castChanged, ...counts } = whole[c].totals;
      expect(totals).toMatchObject(counts);
      expect(end).toEqual(whole[c].end);
      expect(histogram).toEqual(whole[c].histogram);
      expect(step[c].totals.moved).toBe(whole[c].steps.at(-1)!.moved);
    }
    expect(whole[0].totals.elements * whole[0].totals.steps).toBe(9 * 64 * 64);
  });

  test("can be counted again piece by piece, in any order", async () => {
    const whole = (await reference.run(jobOf(settings, 4))).map(summarizeCase);
    const { chunk, ...job } = jobOf(settings, 4);
    const pieces = (await reference.run({ ...job, chunk: 4096 / 4 })).map(summarizeCase);
    expect(chunk).toBe(64 * 64);
    expect(pieces).toEqual(whole);
  });
});

describe("pictures", () => {
  test("light up exactly the weights whose bits changed", async () => {
    const painter = await Painter.open(settings);
    await painter.frame({ steps: 4, span: "start", inks, spare: [] });
    const { cases } = await painter.frame({ steps: 1, span: "step", inks, spare: [] });
    for (const { pixels, step } of cases) {
      const lit = new Uint32Array(pixels).filter((pixel) => pixel !== inks.ground).length;
      expect(lit).toBe(step.totals.moved);
    }
    const since = await painter.frame({
      steps: 0,
      span: "start",
      inks,
      spare: cases.map(({ pixels }) => pixels),
    });
    for (const { pixels, run } of since.cases) {
      const dark = new Uint32Array(pixels).filter((pixel) => pixel === inks.ground).length;
      expect(dark).toBe(run.end.unchanged);
    }
    expect(since.cases[0].pixels).toBe(cases[0].pixels);
  });

  test("show direction and size, never less than a glimmer", () => {
    const into = new Uint32Array(6);
    const before = Float32Array.of(0, 0, 0, 0, 0, NaN);
    const now = Float32Array.of(0, 1, -1, 1e-30, 100, NaN);
    paintChanges(before, now, 1, { ...inks, ground: pixelOf("#000000") }, into);
    const [same, more, less, little, much, odd] = into;
    expect([same, more, less]).toEqual(["#000000", "#0000ff", "#ffff00"].map(pixelOf));
    expect([much, odd]).toEqual([more, inks.nonfinite]);
    expect(little).toBe(pixelOf("#000066"));
  });
});
