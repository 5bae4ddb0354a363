import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { chromiumPath } from "../support/requirements.js";

/** The built page: `npm test` builds it first. */
export const pagePath = fileURLToPath(new URL("../../dist/page/index.html", import.meta.url));

const fromDisk = pathToFileURL(pagePath).href;

export const projector = { width: 1280, height: 720 };
export const phone = { width: 390, height: 844 };

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
      page.setDefaultTimeout(120_000);
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

/** `expect.poll` that no busy machine decides. */
export function eventually<T>(value: () => T | Promise<T>, interval = 50) {
  return expect.poll(value, { timeout: 120_000, interval });
}
