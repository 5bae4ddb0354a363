/** Two models that learn side by side, in Chromium and in Node. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Duel, type DuelFrame } from "../../../src/page/learn/duel.js";
import { recentMean, smoothed, trainings } from "../../../src/page/learn/state.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { sized } from "../../support/tier.js";
import { eventually, phone, projector, settled, waitForStep, withBrowser } from "../browser.js";

const base = new URL("../../../src/example/base.safetensors", import.meta.url);
const steps = 5;
const files = { base: readFileSync(base), teacher: null };
const settings = {
  run: "rlvr",
  format: "bf16",
  scheme: "in-place",
  rounding: "nearest-even",
  lr: 1e-4,
  seed: 9,
} as const;

let frame: DuelFrame;
beforeAll(async () => {
  const duel = await Duel.open(settings, files);
  frame = await duel.advance(steps);
});

describe("a duel", () => {
  test("draws the same prompts for both, and counts every update of each", () => {
    const [chosen, master] = frame.learners;
    expect(chosen.rewards[0]).toBe(master.rewards[0]);
    for (const { rewards, counted } of frame.learners) {
      const { none, lost, kept, moved } = counted.totals;
      expect(rewards).toHaveLength(steps);
      expect(none + lost + kept + moved).toBe(steps * 26_048);
    }
    expect(chosen.counted.totals.kept).toBe(0);
    expect(chosen.counted.totals.lost).toBeGreaterThan(master.counted.totals.lost);
    expect(master.counted.end.retained).toBe(1);
  });

  test("starts where the chart has the base", () => {
    // What test/learn/evaluate.test.ts counts of it, and PyTorch.
    expect(trainings.rlvr.base).toBeCloseTo(0.6644, 4);
  });

  test("of sft shows the chance of right answers, which rises; of distillation, answers that were drawn", async () => {
    const sft = await Duel.open({ ...settings, run: "sft" }, files);
    const { learners } = await sft.advance(sized({ quick: 12, full: 20 }));
    const [first, last] = [learners[1].rewards[0], learners[1].rewards.at(-1)!];
    // The first step is of the base, on 128 prompts.
    expect(Math.abs(first - trainings.sft.base)).toBeLessThan(0.05);
    expect(last).toBeGreaterThan(first + 0.1);
    const teacher = readFileSync(new URL("final-fp32.safetensors", base));
    const opd = await Duel.open({ ...settings, run: "opd" }, { ...files, teacher });
    const drawn = (await opd.advance(1)).learners[0].rewards[0];
    expect(drawn * 128).toBe(Math.round(drawn * 128));
  });

  test("a point of a curve is the mean of the steps before it", () => {
    const rewards = Array.from({ length: 30 }, (_, i) => i);
    expect(recentMean([])).toBeNull();
    expect(recentMean(rewards, 1)).toBe(0);
    expect(recentMean(rewards, 3)).toBe(1);
    expect(recentMean(rewards)).toBe(29 - (smoothed - 1) / 2);
  });
});

describeNeeding(requirements.chromium, "the view", () => {
  const { open } = withBrowser();

  test("trains the models that Node trains, bit for bit", async () => {
    const page = await open("#learn?lr=0.0001&seed=9", { reducedMotion: "no-preference" });
    await page.getByText(/After \d+ steps/).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Play" }).waitFor();
    // Read at once, when the step that the worker was at is shown too.
    await settled(page);
    const [step, ...moved] = await page.evaluate<number[]>(`[
      document.querySelector(".transport .step").textContent,
      ...[...document.querySelectorAll("[data-learner] [data-class=moved]")].map((one) => one.dataset.count),
    ].map(Number)`);
    const duel = await Duel.open(settings, files);
    const { learners } = await duel.advance(step);
    expect(moved).toEqual(learners.map(({ counted }) => counted.totals.moved));
  });

  test("goes from picture to picture where the system asks for less motion, and chance has no colour of loss", async () => {
    const page = await open("#learn?rounding=stochastic");
    await page.getByText("One frame every 50 steps").waitFor();
    await page.getByText("After 50 steps").waitFor();
    expect(await page.locator(".rewards .other circle").count()).toBe(50);
    expect(await page.locator(".rewards .chosen").count()).toBe(0);
  });

  test("other settings begin anew, and are in the address", async () => {
    const page = await open("#learn", { reducedMotion: "no-preference" });
    await page.getByLabel("Scheme").selectOption("kahan");
    await page.getByText(/After \d+ steps the model with an fp32 master/).waitFor();
    await page.getByText(/bf16 \+ Kahan keeps its updates/).waitFor();
    await eventually(() => page.evaluate("location.hash")).toBe("#learn?scheme=kahan");
  });

  test("another kind of training begins anew, at its usual rate", async () => {
    const page = await open("#learn", { reducedMotion: "no-preference" });
    await page.getByLabel("Training").selectOption("sft");
    await page.getByText(/on 128 right answers a step/).waitFor();
    await page.getByText(/After \d+ steps the model with an fp32 master/).waitFor();
    await eventually(() => page.evaluate("location.hash")).toBe("#learn?run=sft&lr=0.0001");
  });

  test("fits a phone and a projector", async () => {
    const page = await open("#learn");
    await waitForStep(page, 0);
    for (const viewport of [phone, projector]) {
      await page.setViewportSize(viewport);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    }
  });
});
