import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { chromiumPath } from "../support/requirements.js";

/** The built page: `npm test` builds it first. */
export const pagePath = fileURLToPath(new URL("../../dist/page/index.html", import.meta.url));

const fromDisk = pathToFileURL(pagePath).href;

export const projector = { width: 1280, height: 720 };
export const phone = { width: 390, height: 844 };

/** Counts the calls of the page's worker that have no answer yet: it answers each once (src/page/compute/rpc.ts). */
const countCalls = `
  globalThis.callsOnTheirWay = 0;
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", () => { callsOnTheirWay -= 1; });
    }
    postMessage(...args) {
      callsOnTheirWay += 1;
      super.postMessage(...args);
    }
  };`;

/** A page, and what went wrong on it. */
export interface Opened {
  readonly page: Page;
  readonly problems: string[];
  /** Addresses that it asked for, itself apart. */
  readonly asked: string[];
}

/**
 * Chromium for the tests of a file. Every page that was opened must have had no error and no warning on its console when
 * its test ends, and must have asked for nothing.
 */
export function withBrowser(args: readonly string[] = []) {
  let browser: Browser;
  let open: Opened[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox", ...args] });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const { page, problems, asked } of open) {
      expect(problems).toEqual([]);
      expect(asked).toEqual([]);
      await page.context().close();
    }
    open = [];
  });
  return {
    /** Opens the page at a fragment. Motion is reduced unless a test is about it: then nothing plays by itself. */
    async open(fragment: string, options: BrowserContextOptions = {}, address = fromDisk): Promise<Page> {
      const context = await browser.newContext({ viewport: projector, reducedMotion: "reduce", ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(240_000);
      const opened: Opened = { page, problems: [], asked: [] };
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) opened.problems.push(message.text());
      });
      page.on("pageerror", (error) => opened.problems.push(String(error)));
      page.on("request", (request) => {
        const url = request.url();
        if (url !== address && !url.startsWith("blob:") && !url.startsWith("data:")) opened.asked.push(url);
      });
      open.push(opened);
      await page.addInitScript(countCalls);
      await page.goto(`${address}${fragment}`);
      return page;
    },
  };
}

/** The number behind a shown one. */
export async function countOf(page: Page, selector: string): Promise<number> {
  return Number(await page.locator(selector).first().getAttribute("data-count"));
}

/** Waits until the tensor view shows a step. */
export async function waitForStep(page: Page, step: number): Promise<void> {
  await page.locator(".transport .step", { hasText: new RegExp(`^${step}$`) }).waitFor();
}

/** Goes to another place on an open page, as a link does: to open one more takes several times as long. */
export async function go(page: Page, fragment: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#${fragment}`)}`);
}

/** Waits until nothing is on its way from the worker, as a frame is when Pause is pressed, and the last is shown. */
export async function settled(page: Page): Promise<void> {
  await eventually(() => page.evaluate("callsOnTheirWay")).toBe(0);
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** `expect.poll` that no busy machine decides. */
export function eventually<T>(value: () => T | Promise<T>, interval = 50) {
  return expect.poll(value, { timeout: 240_000, interval });
}
