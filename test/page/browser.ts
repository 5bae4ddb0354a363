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
 * its test ends, and must have asked for nothing. Tests with the same options have a tab one after the other, each loading
 * the page anew: a tab of its own takes twice as long, most of it for compiling the same script.
 */
export function withBrowser(args: readonly string[] = []) {
  let browser: Browser;
  /** By their options; those in use are not there. */
  const tabs = new Map<string, Page[]>();
  let open: (Opened & { readonly tab: string })[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox", ...args] });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    for (const { page, problems, asked, tab } of open) {
      expect(problems).toEqual([]);
      expect(asked).toEqual([]);
      await page.evaluate("localStorage.clear()");
      page.removeAllListeners();
      await page.goto("about:blank");
      tabs.set(tab, [...(tabs.get(tab) ?? []), page]);
    }
    open = [];
  });
  async function newTab(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(240_000);
    await page.addInitScript(countCalls);
    return page;
  }
  return {
    /** Opens the page at a fragment. Motion is reduced unless a test is about it: then nothing plays by itself. */
    async open(fragment: string, given: BrowserContextOptions = {}, address = fromDisk): Promise<Page> {
      const options = { viewport: projector, reducedMotion: "reduce", ...given } as const;
      const tab = JSON.stringify(options);
      const page = tabs.get(tab)?.pop() ?? (await newTab(options));
      // As a test before may not have left them.
      await page.setViewportSize(options.viewport ?? projector);
      await page.emulateMedia({ colorScheme: options.colorScheme ?? "light" });
      const opened = { page, problems: [] as string[], asked: [] as string[], tab };
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) opened.problems.push(message.text());
      });
      page.on("pageerror", (error) => opened.problems.push(String(error)));
      page.on("request", (request) => {
        const url = request.url();
        if (url !== address && !url.startsWith("blob:") && !url.startsWith("data:")) opened.asked.push(url);
      });
      open.push(opened);
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
