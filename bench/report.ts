/**
 * The HTML report of a 70B model's run (723 tensors, 3 cases, 300 steps) and of one with 3,000 tensors, in Chromium
 * without a GPU: its size, its first paint from disk, and the main thread's work per frame while the table scrolls, as
 * thread time, so that other load on the machine does not count.
 * Usage: npm run bench -- report [pixels a frame]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { reportScript } from "../browser-bundle.js";
import { htmlAssets } from "../src/cli/html-assets.js";
import { count } from "../src/report/numbers.js";
import { largeResult } from "../test/support/large-result.js";
import { renderHtml } from "../test/support/rendered.js";
import { chromiumPath } from "../test/support/requirements.js";

const frames = 100;

export async function report(pixels = 120): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === null) {
    process.stdout.write("no Chromium: apt-get install chromium-headless-shell, or CHROMIUM_PATH\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-report-"));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    for (const layers of [80, 333]) {
      const result = largeResult({ layers });
      const started = performance.now();
      const html = renderHtml(result, htmlAssets(reportScript()));
      const rendering = performance.now() - started;
      const path = join(folder, `${layers}.html`);
      writeFileSync(path, html);
      const { paint, thread } = await scrolled(browser, pathToFileURL(path).href, pixels);
      const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
      process.stdout.write(
        `${count(result.input.tensors)} tensors: rendered in ${Math.round(rendering)} ms, ` +
          `${megabytes(Buffer.byteLength(html))} (compressed ${megabytes(gzipSync(html).length)}), ` +
          `first paint after ${Math.round(paint)} ms, ${thread.toFixed(1)} ms a frame at ${pixels} pixels a frame\n`,
      );
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

async function scrolled(browser: Browser, address: string, pixels: number) {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await tab.goto(address);
  const paint = await tab.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => {
      const [entry] = list.getEntriesByName("first-contentful-paint");
      if (entry) resolve(entry.startTime);
    }).observe({ type: "paint", buffered: true }))`,
  );
  const protocol = await tab.context().newCDPSession(tab);
  await protocol.send("Performance.enable", { timeDomain: "threadTicks" });
  const seconds = async () => {
    const { metrics } = await protocol.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  await tab.evaluate(
    `document.getElementById("tensors").scrollIntoView(); new Promise((done) => setTimeout(done, 300))`,
  );
  const before = await seconds();
  await tab.evaluate(`(async () => {
    const view = document.getElementById("tensors");
    for (let i = 0; i < ${frames}; i++) {
      view.scrollBy({ top: ${pixels}, behavior: "instant" });
      await new Promise((done) => requestAnimationFrame(done));
    }
  })()`);
  const thread = ((await seconds()) - before) * (1000 / frames);
  await tab.close();
  return { paint, thread };
}
