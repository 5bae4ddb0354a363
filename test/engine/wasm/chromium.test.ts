import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleForBrowser } from "../../support/bundle.js";
import { chromiumPath, describeNeeding, requirements } from "../../support/requirements.js";

/** With these a page has shared memory. */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

describeNeeding(requirements.chromium, "wasm in Chromium", () => {
  let browser: Browser;
  let script: string;
  beforeAll(async () => {
    script = await bundleForBrowser(new URL("./page.ts", import.meta.url));
    browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  it.each([
    [
      "threads over shared memory",
      isolated,
      { device: expect.stringMatching(/ \d+ threads$/), threads: true, here: true },
    ],
    [
      "no shared memory",
      {},
      { device: expect.stringMatching(/ one thread: no shared memory here$/), threads: false, here: true },
    ],
  ])("%s: as the reference", { timeout: 60_000 }, async (_, headers, expected) => {
    const page = await browser.newPage();
    await page.route("http://localhost/", (route) =>
      route.fulfill({
        headers: { "Content-Type": "text/html", ...headers },
        body: "<!doctype html><title>wasm</title>",
      }),
    );
    await page.goto("http://localhost/");
    await page.addScriptTag({ content: script });
    const check = () => (globalThis as unknown as { check(): Promise<object> }).check();
    expect(await page.evaluate(check)).toEqual(expected);
  });
});
