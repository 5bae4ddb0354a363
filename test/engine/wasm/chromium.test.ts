import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { chromiumPath, describeNeeding, requirements } from "../../support/requirements.js";

/** With these a page has shared memory. */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

describeNeeding(requirements.chromium, "wasm in Chromium", () => {
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
    const bundle = await build({
      entryPoints: [new URL("./page.ts", import.meta.url).pathname],
      bundle: true,
      write: false,
      platform: "browser",
      format: "iife",
      // As a page that is published would be.
      minify: true,
      logLevel: "error",
    });
    const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      await page.route("http://localhost/", (route) =>
        route.fulfill({
          headers: { "Content-Type": "text/html", ...headers },
          body: "<!doctype html><title>wasm</title>",
        }),
      );
      await page.goto("http://localhost/");
      await page.addScriptTag({ content: bundle.outputFiles[0].text });
      const check = () => (globalThis as unknown as { check(): Promise<object> }).check();
      expect(await page.evaluate(check)).toEqual(expected);
    } finally {
      await browser.close();
    }
  });
});
