import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { reportScript } from "../../../browser-bundle.js";
import { htmlAssets } from "../../../src/cli/html-assets.js";
import { cellAtMost, count, percent, ratio, shareOfWeights } from "../../../src/report/numbers.js";
import {
  differenceResult,
  hostileName,
  hostileResult,
  oneStepResult,
  smallResult,
} from "../../support/figures.js";
import { largeResult } from "../../support/large-result.js";
import { learnResult, runComparison } from "../../support/learning.js";
import { renderComparisonHtml, renderDiffHtml, renderHtml, renderLearnHtml } from "../../support/rendered.js";
import { chromiumPath, describeNeeding, requirements } from "../../support/requirements.js";
import { sized } from "../../support/tier.js";

const assets = htmlAssets(reportScript());
const small = smallResult();
/** Far more tensors than are laid out at once. */
const large = largeResult({ layers: sized({ quick: 60, full: 333 }), steps: 20 });
const tensors = count(large.cases[0].tensors.length);

const pages = {
  run: renderHtml(small, assets),
  comparison: renderDiffHtml(differenceResult({ hidden: true }), assets),
  large: renderHtml(large, assets),
  hostile: renderHtml(await hostileResult(), assets),
  "one step": renderHtml(await oneStepResult(), assets),
  learning: renderLearnHtml(learnResult(), assets),
  runs: renderComparisonHtml(runComparison(hostileName), assets),
};
type Name = keyof typeof pages;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describeNeeding(requirements.chromium, "a report opened from disk in Chromium", () => {
  let browser: Browser;
  let page: Page;
  /** By the colours of the system: a page of its own takes longer to open than to load another report. */
  const opened = new Map<string, Page>();
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-report-"));
  /** What the page said on its console, or asked of anywhere, since it was opened. */
  let noise: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(name: Name, colorScheme: "light" | "dark" = "light"): Promise<void> {
    const path = join(folder, `${name}.html`);
    writeFileSync(path, pages[name]);
    const viewport = { width: 1280, height: 800 };
    page = opened.get(colorScheme) ?? (await browser.newPage({ viewport, colorScheme }));
    opened.set(colorScheme, page);
    // No busy machine decides.
    page.setDefaultTimeout(240_000);
    page.removeAllListeners();
    await page.goto("about:blank");
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, media: "screen" });
    noise = [];
    const address = pathToFileURL(path).href;
    page.on("console", (message) => noise.push(message.text()));
    page.on("pageerror", (error) => noise.push(error.message));
    page.on("dialog", (dialog) => noise.push(dialog.message()));
    page.on("request", (request) => {
      if (request.url() !== address && !request.url().startsWith("data:")) noise.push(request.url());
    });
    await page.goto(address);
  }

  /** The cells of a column of the tensor table that are laid out, in their order. */
  const column = (heading: string) =>
    page.$$eval(
      "#table",
      ([table], headingText) => {
        const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
        const rows = [...table.querySelectorAll("tbody tr:not(.space)")];
        return rows.map((row) => row.children[heads.indexOf(headingText)].textContent);
      },
      heading,
    );
  const sortBy = (heading: string) =>
    page.locator("#table thead button", { hasText: heading }).first().click();
  const numbers = (cells: (string | null)[]) => cells.map((cell) => Number(cell!.replace(/[,%]/g, "")));

  // axe takes several seconds for the thousands of elements of the large one.
  const telling: readonly Name[] = ["run", "comparison"];
  const others: readonly Name[] = ["one step", "large", "hostile", "learning", "runs"];
  test.each(sized({ quick: telling, full: [...telling, ...others] }))(
    "%s: opens in silence, passes axe in light and dark, and fits a phone without scrolling sideways",
    async (name) => {
      await open(name);
      expect(noise).toEqual([]);
      // axe is no part of the page: it is let past the page's policy.
      await page.evaluate(axe);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const found: { id: string; nodes: string[] }[] = await page.evaluate(
          "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary) })))",
        );
        expect([colorScheme, found]).toEqual([colorScheme, []]);
      }
      await page.setViewportSize({ width: 360, height: 800 });
      const beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      // What scrolls by itself says so, and only that: from the next frame on.
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const unsaid =
        await page.evaluate(`[...document.querySelectorAll(".scroll, .picture, .tensors")].filter((place) =>
        place.checkVisibility() && place.nextElementSibling.hidden !== (place.scrollWidth <= place.clientWidth + 1)).length`);
      expect(unsaid).toBe(0);
      expect(beyond).toBe(0);
      expect(noise).toEqual([]);
    },
  );

  test("shows a bound as a bound, rounded up", async () => {
    await open("comparison");
    const { tensors } = differenceResult({ hidden: true });
    expect(await column("real at most")).toEqual(
      tensors.map(({ realSparsityAtMost }) => cellAtMost(realSparsityAtMost)),
    );
    expect((await column("real at most")).join()).toMatch(/≤ \d/);
  });

  test("shows the tensors of the first case, in the numbers of every other output", async () => {
    await open("run");
    const [{ tensors }] = small.cases;
    expect(await column("tensor")).toEqual(tensors.map(({ name }) => name));
    expect(await column("weights")).toEqual(tensors.map(({ totals }) => count(totals.elements)));
    expect(await column("unchanged")).toEqual(
      tensors.map((tensor) => percent(shareOfWeights(tensor, tensor.end.unchanged))),
    );
    expect(await column("retained")).toEqual(tensors.map(({ end }) => ratio(end.retained)));
    expect(await column("visible")).toEqual(tensors.map(({ end }) => ratio(end.visible)));
  });

  test("sorts by a heading, and the other way round by a second click", async () => {
    await open("large");
    await sortBy("unchanged");
    const falling = numbers(await column("unchanged"));
    expect(falling).toEqual([...falling].sort((a, b) => b - a));
    expect(await page.getAttribute('#table th[aria-sort="descending"]', "scope")).toBe("col");
    await sortBy("unchanged");
    const rising = numbers(await column("unchanged"));
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(rising[0]).toBeLessThan(falling[0]);
    expect(await page.locator("#table th[aria-sort]").count()).toBe(1);
    await sortBy("tensor");
    const names = (await column("tensor")).filter((name) => name!.includes("q_proj"));
    // By the numbers in the names: layer 2 before layer 10.
    const layers = names.map((name) => Number(/layers\.(\d+)/.exec(name!)![1]));
    expect(layers).toEqual([...layers].sort((a, b) => a - b));
  });

  test("filters by name and by module", async () => {
    await open("large");
    await page.fill("#filter", "layers.33.");
    expect(await column("tensor")).toHaveLength(9);
    expect(await page.textContent("#shown")).toBe(`9 of ${tensors} tensors`);
    await page.selectOption("#kind", "norm");
    expect(await column("module")).toEqual(["norm", "norm"]);
    await page.fill("#filter", "no such tensor");
    expect(await column("tensor")).toEqual([]);
    expect(await page.textContent("#shown")).toBe(`0 of ${tensors} tensors`);
  });

  test("lays out rows in view, not all, and gets to the last", async () => {
    await open("large");
    expect((await column("tensor")).length).toBeLessThan(120);
    await page.$eval("#tensors", (view) => view.scrollTo({ top: view.scrollHeight, behavior: "instant" }));
    const last = async () => (await column("tensor")).at(-1);
    await expect.poll(last, { timeout: 240_000 }).toBe("lm_head.weight");
    expect((await column("tensor")).length).toBeLessThan(120);
    // Down in small steps, rows stay in their order, none twice and none missing.
    await page.$eval("#tensors", (view) => view.scrollTo({ top: 0, behavior: "instant" }));
    for (let top = 0; top < 6000; top += 700) {
      await page.$eval("#tensors", (view, to) => view.scrollTo({ top: to, behavior: "instant" }), top);
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const places = await page.$$eval("#rows tr[aria-rowindex]", (rows) =>
        rows.map((row) => Number(row.getAttribute("aria-rowindex"))),
      );
      expect(places).toEqual(places.map((_, i) => places[0] + i));
      expect(places[0]).toBeLessThanOrEqual(Math.floor(top / 34) + 2);
      expect(places.at(-1)!).toBeGreaterThan(Math.floor((top + 400) / 34));
    }
  });

  test("shows another case everywhere once it is chosen anywhere", async () => {
    await open("run");
    const visible = () =>
      page.$$eval("[data-case]:not([hidden])", (elements) =>
        elements.map((each) => each.getAttribute("data-case")),
      );
    expect(new Set(await visible())).toEqual(new Set(["0"]));
    await page.locator("select.case").first().selectOption("1");
    expect(new Set(await visible())).toEqual(new Set(["1"]));
    expect(
      await page.$$eval("select.case", (elements) =>
        elements.map((each) => (each as unknown as { value: string }).value),
      ),
    ).toEqual(["1", "1", "1"]);
    const { tensors } = small.cases[1];
    expect(await column("unchanged")).toEqual(
      tensors.map((tensor) => percent(shareOfWeights(tensor, tensor.end.unchanged))),
    );
  });

  test("has no choice of case where there is one", async () => {
    await open("one step");
    expect(await page.locator("select.case:visible").count()).toBe(0);
  });

  test("turns light and dark by its button, whatever the system says", async () => {
    for (const system of ["light", "dark"] as const) {
      await open("run", system);
      const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const [white, night] = ["rgb(255, 255, 255)", "rgb(17, 21, 27)"];
      const shot = () => page.screenshot({ fullPage: false });
      const [before, first] = [await ground(), await shot()];
      expect(before).toBe(system === "light" ? white : night);
      await page.click("#theme");
      expect(await ground()).toBe(system === "light" ? night : white);
      expect((await shot()).equals(first)).toBe(false);
      await page.click("#theme");
      expect(await ground()).toBe(before);
    }
  });

  test("prints in light colours, with rows that a page can hold", async () => {
    await open("large", "dark");
    await page.emulateMedia({ media: "print" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await column("tensor")).toHaveLength(200);
    expect(await page.textContent("#unprinted")).toBe(
      `The first 200 of ${tensors} tensors; the page has all.`,
    );
    await page.emulateMedia({ media: "screen" });
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect((await column("tensor")).length).toBeLessThan(120);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  });

  test("is not moved by names that would be markup", async () => {
    await open("hostile");
    expect(await column("tensor")).toEqual([hostileName]);
    expect(await page.evaluate("globalThis.hacked")).toBe(undefined);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.textContent("h1")).toContain(hostileName);
  });
});
