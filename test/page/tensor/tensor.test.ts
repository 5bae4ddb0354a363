import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { classes } from "../../../src/lens/classify.js";
import type { Case } from "../../../src/lens/run/case.js";
import { summarizeCase } from "../../../src/lens/run/summarize.js";
import { parsePlace, readState } from "../../../src/page/location.js";
import { CpuRun } from "../../../src/page/tensor/cpu-run.js";
import { runSettings, tensorFields } from "../../../src/page/tensor/presets.js";
import { jobOf } from "../../../src/page/tensor/run.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { sized } from "../../support/tier.js";
import { countOf, eventually, go, phone, projector, settled, waitForStep, withBrowser } from "../browser.js";

/** What the page shows. */
async function shownCounts(page: Page) {
  const shown = await Promise.all(classes.map((className) => countOf(page, `[data-class=${className}]`)));
  const facts = await Promise.all(
    ["unchanged", "hidden"].map((fact) => countOf(page, `[data-fact=${fact}]`)),
  );
  return [...shown, ...facts];
}

const stateOf = (address: string) => readState(tensorFields, parsePlace(address).parameters);

const countsOf = ({ totals, end }: Case) => [
  ...classes.map((className) => totals[className]),
  end.unchanged,
  end.hidden,
];

/** What the reference engine counts of that run. */
async function countsByReference(address: string) {
  const state = stateOf(address);
  const job = jobOf(runSettings(state), state.step);
  const [stored] = (await reference.run({ ...job, cases: job.cases.slice(0, 1) })).map(summarizeCase);
  return countsOf(stored);
}

/** What the page's engine counts in Node: quicker, for states other than those that the reference counts. */
async function countsInNode(address: string) {
  const state = stateOf(address);
  const run = await CpuRun.open(runSettings(state));
  await run.advance(state.step);
  return countsOf((await run.counts()).run[0]);
}

/** What an address says, by its text. */
type Told = Readonly<Record<string, string | number>>;

describeNeeding(requirements.chromium, "a tensor", () => {
  const { open } = withBrowser();

  test("shows the histogram at first sight on a projector, and labels that stand apart on a phone", async () => {
    const page = await open("#tensor?step=1");
    const chart = page.locator(".tensor svg.chart");
    const { y, height } = (await chart.boundingBox())!;
    expect(y + height).toBeLessThanOrEqual(projector.height);
    for (const viewport of [projector, { width: 1920, height: 1080 }, phone, { width: 375, height: 800 }]) {
      await page.setViewportSize(viewport);
      // Drawn for its own width, so that its text is no smaller where it is narrow.
      const drawn = () =>
        page.evaluate<number>(`(() => {
          const chart = document.querySelector(".tensor svg.chart");
          return chart.clientWidth - chart.viewBox.baseVal.width;
        })()`);
      await eventually(drawn).toBe(0);
      const boxes = await Promise.all((await chart.locator("text").all()).map((text) => text.boundingBox()));
      for (const [i, a] of boxes.entries())
        for (const b of boxes.slice(i + 1)) {
          const apart =
            a!.x + a!.width <= b!.x ||
            b!.x + b!.width <= a!.x ||
            a!.y + 0.75 * a!.height <= b!.y ||
            b!.y + 0.75 * b!.height <= a!.y;
          expect([viewport.width, apart]).toEqual([viewport.width, true]);
        }
    }
  });

  test("the histogram's axes are those of its bars: shares of the updates, and powers of two", async () => {
    const page = await open("#tensor?step=1");
    await waitForStep(page, 1);
    const chart = page.locator(".tensor svg.chart");
    const shares = await chart.locator("[data-axis=share]").allTextContents();
    expect(shares[0]).toBe("0%");
    expect(shares.length).toBeGreaterThan(2);
    const places = await Promise.all(
      (await chart.locator("[data-axis=share]").all()).map((tick) => tick.getAttribute("y").then(Number)),
    );
    const ofPixel = Number.parseFloat(shares.at(-1)!) / (places[0] - places.at(-1)!);
    const bars = await page.evaluate<[x: number, height: number][]>(
      `[...document.querySelectorAll(".tensor svg.chart rect")].map(({ x, height }) => [x, height].map((of) => of.baseVal.value))`,
    );
    const heights = new Map<number, number>();
    for (const [x, height] of bars) heights.set(x, (heights.get(x) ?? 0) + height);
    const run = await CpuRun.open(runSettings(stateOf("#tensor?step=1")));
    await run.advance(1);
    const { lost, kept, moved } = (await run.counts()).run[0].histogram;
    const totals = lost.map((n, i) => n + kept[i] + moved[i]);
    const all = totals.reduce((sum, n) => sum + n, 0);
    expect(Math.max(...heights.values()) * ofPixel).toBeCloseTo((100 * Math.max(...totals)) / all, 2);
    // One notation along an axis, with half a gap among its labels.
    const sizes = await chart.locator("[data-axis=size]").allTextContents();
    expect(sizes.filter((size) => !/^2−?\d+$/.test(size))).toEqual([]);
    expect(sizes).toContain("2−1");
    expect(await chart.locator("[data-axis=size] tspan").count()).toBe(sizes.length);
  });

  test("no choice of a select is cut", async () => {
    const page = await open("#tensor?step=0");
    for (const view of ["tensor?step=0", "learn", "weight", "block"]) {
      await go(page, view);
      await page.locator("select").first().waitFor();
      for (const [width, height] of [
        [1280, 720],
        [1280, 800],
        [1920, 1080],
        [375, 800],
      ]) {
        await page.setViewportSize({ width, height });
        const cut = await page.evaluate<
          string[]
        >(`[...document.querySelectorAll("select")].flatMap((select) =>
          [...select.options].flatMap((option) => {
            const alone = document.createElement("select");
            alone.style.cssText = "position: absolute; width: auto";
            alone.append(option.cloneNode(true));
            select.after(alone);
            const missing = alone.offsetWidth - select.offsetWidth;
            alone.remove();
            return missing > 1 ? [\`\${option.text}: \${missing} pixels\`] : [];
          }))`);
        expect(cut, `${view}, ${width} x ${height}`).toEqual([]);
      }
    }
  });

  // The reference takes seconds for a quarter of a million weights.
  const most: Told = {
    ...{ step: sized({ quick: 1, full: 2 }), preset: "pretrain", lr: 3e-4 },
    ...{ format: "e4m3fn", rounding: "stochastic", seed: 9 },
  };
  const others: readonly Told[] = [
    { step: 3 },
    { step: 2, preset: "sft", lr: 1e-5, scheme: "kahan", signal: 0 },
    { step: 2, format: "fp16", scheme: "master", rounding: "toward-zero" },
  ];
  test.each(sized({ quick: [most], full: [most, ...others] }))(
    "counts as the reference does: %o",
    async (told) => {
      const parameters = Object.entries(told).map(([name, value]): [string, string] => [name, `${value}`]);
      const address = `#tensor?${new URLSearchParams(parameters)}`;
      expect(stateOf(address)).toMatchObject(told);
      const page = await open(address);
      await waitForStep(page, Number(told.step));
      expect(await shownCounts(page)).toEqual(await countsByReference(address));
    },
  );

  test("its controls fit after 99,999 steps, however wide the page is", async () => {
    const page = await open("#tensor?step=0");
    await waitForStep(page, 0);
    for (const width of [1280, 900, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const [counter, stage] = await page.evaluate<number[]>(`
        document.querySelector(".transport .step").textContent = "99999";
        [".transport .step", ".stage"].map((of) => document.querySelector(of).getBoundingClientRect().right)`);
      expect(counter, `${width} pixels`).toBeLessThanOrEqual(stage);
    }
  });

  test("each control does what it says", async () => {
    const page = await open("#tensor?step=1");
    await waitForStep(page, 1);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await waitForStep(page, 2);
    await eventually(() => page.url()).toContain("step=2");
    await page.getByRole("button", { name: "Restart" }).click();
    await waitForStep(page, 0);

    // What the address says after each control was used; a run begins anew.
    const address = () => new URL(page.url()).hash;
    await page.getByRole("radio", { name: "SFT" }).check();
    await eventually(address).toBe("#tensor?preset=sft&lr=0.00001");
    await page.getByLabel("Format").selectOption("fp16");
    await page.getByLabel("Scheme").selectOption("master");
    await page.getByLabel("Rounding").selectOption("toward-zero");
    await eventually(address).toMatch(/format=fp16&scheme=master&rounding=toward-zero/);
    await page.getByLabel(/Learning rate/).press("ArrowRight");
    await eventually(address).toMatch(/lr=0\.00002/);
    await page.getByLabel(/Signal/).press("Home");
    await eventually(address).toMatch(/signal=0(&|$)/);
    await page.getByLabel(/Steps a second/).press("End");
    await eventually(address).toMatch(/pace=1000/);
    for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowRight"])
      await page.getByLabel(/Steps a second/).press(key);
    await eventually(address).toMatch(/pace=10(&|$)/);

    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await eventually(() => page.locator(".transport .step").textContent().then(Number)).toBeGreaterThan(2);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Play" }).waitFor();
    await settled(page);
    const step = await page.locator(".transport .step").textContent();
    await eventually(address).toMatch(new RegExp(`step=${step}(&|$)`));
    expect(await shownCounts(page)).toEqual(await countsInNode(address()));
  });

  test("lights up the last step, or all since the start", async () => {
    const page = await open("#tensor?step=4");
    await waitForStep(page, 4);
    const lit = () =>
      page.evaluate(`(() => {
        const canvas = document.querySelector("canvas");
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, width, height);
        const pixels = new Uint32Array(data.buffer);
        const tally = new Map();
        for (const pixel of pixels) tally.set(pixel, (tally.get(pixel) ?? 0) + 1);
        return pixels.length - Math.max(...tally.values());
      })()`);
    await eventually(lit).toBe(512 * 512 - (await countOf(page, "[data-fact=unchanged]")));
    await page.getByLabel("Highlight changes").selectOption("step");
    const moved = await countOf(page, "[data-fact=moved-now]");
    expect(moved).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await waitForStep(page, 5);
    await eventually(lit).toBe(await countOf(page, "[data-fact=moved-now]"));
  });

  test("is at rest while it is paused", async () => {
    const page = await open("#tensor?step=1");
    await waitForStep(page, 1);
    // The step that was waited for may not be painted yet.
    await settled(page);
    const painted = await page.evaluate<number>(`(async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      let painted = 0;
      const { prototype } = CanvasRenderingContext2D;
      const put = prototype.putImageData;
      prototype.putImageData = function (...args) {
        painted += 1;
        put.apply(this, args);
      };
      for (let i = 0; i < 30; i++) await frame();
      return painted;
    })()`);
    expect(painted).toBe(0);
  });

  const spoken: readonly [rounding: string, said: RegExp, unmoved: string, boundary: string, tone: string][] =
    [
      ["stochastic", /changed nothing, by chance; retained: /, "stayed by chance", "the gap", "lens "],
      ["nearest-away", /bf16 rounded .* of them away/, "lost", "half the gap", "lens lost"],
      ["toward-zero", /bf16 rounded .* of them away/, "lost", "the gap", "lens lost"],
    ];
  test("speaks of each rounding as it is", async () => {
    const page = await open("#tensor?step=0");
    for (const [rounding, said, unmoved, boundary, tone] of spoken) {
      await waitForStep(page, 0);
      await go(page, `tensor?step=2&rounding=${rounding}`);
      await waitForStep(page, 2);
      const sentence = page.locator("h1 .lens");
      expect(await sentence.textContent(), rounding).toMatch(said);
      expect(await sentence.getAttribute("class")).toBe(tone);
      expect(
        await page
          .locator(".count", { has: page.locator("[data-class=lost]") })
          .locator("dt")
          .textContent(),
      ).toBe(unmoved);
      expect(await page.locator(".chart .strong").textContent()).toBe(boundary);
      await go(page, "tensor?step=0");
    }
  });

  test("says that the run is simulated, and whose finding it shows", async () => {
    const page = await open("#tensor?step=1");
    await page.getByText(/Gate III of arXiv 2511\.08567.*simulated.*planted signal/).waitFor();
  });

  test("goes back to a size that works where no GPU opens, and says so", async () => {
    const page = await open("#tensor?side=1024&step=1");
    await page.getByText("This browser opened no GPU: 1,048,576 weights need one.").waitFor();
    await waitForStep(page, 1);
    await eventually(() => page.url()).not.toContain("side=");
    expect((await shownCounts(page)).slice(0, 5).reduce((sum, n) => sum + n)).toBe(512 * 512);
    expect(await page.locator(".problem").count()).toBe(0);
  });

  test("says which engine counts, and counts again by another", async () => {
    const page = await open("#tensor?step=1");
    await waitForStep(page, 1);
    await page.getByText(/by the wasm engine \(CPU, WebAssembly SIMD/).waitFor();
    await page.getByRole("button", { name: "reference", exact: true }).click();
    await page.locator(".recount output", { hasText: /CPU.*: every count the same/ }).waitFor();
  });
});
