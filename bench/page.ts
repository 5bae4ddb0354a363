/**
 * The interactive page in Chromium without a GPU: steps and frames per second of the tensor view, steps per second of
 * the training view, first paint from disk, and the size of the file.
 * Usage: npm run bench -- page [seconds]
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { chromiumPath } from "../test/support/requirements.js";

const pagePath = fileURLToPath(new URL("../dist/page/index.html", import.meta.url));
const address = pathToFileURL(pagePath).href;
const flags = ["--no-sandbox", "--disable-gpu"];

export async function page(seconds = 5): Promise<void> {
  const executablePath = chromiumPath();
  if (executablePath === null) {
    process.stdout.write("no Chromium: apt-get install chromium-headless-shell, or CHROMIUM_PATH\n");
    return;
  }
  const html = readFileSync(pagePath);
  const withoutGpuJs = html.toString().replace(/<script type="text\/plain" id="gpu-js">[^<]*<\/script>/, "");
  const browser = await chromium.launch({ executablePath, args: flags });
  process.stdout.write(
    `Chromium ${browser.version()} without a GPU; ${cpus()[0].model}, ${cpus().length} cores\n` +
      `the page: ${kilobytes(html.length)}, compressed ${kilobytes(gzipSync(html).length)}, ` +
      `without gpu.js ${kilobytes(gzipSync(withoutGpuJs).length)}\n`,
  );
  try {
    const paints = [];
    for (let i = 0; i < 5; i++) paints.push(await firstPaint(browser));
    process.stdout.write(
      `first contentful paint from disk: ${paints.map((ms) => `${Math.round(ms)} ms`).join(", ")}\n`,
    );
    for (const [name, fragment] of [
      ["bf16 in-place, beside fp32", "#tensor?pace=1000"],
      ["bf16 Kahan, beside fp32", "#tensor?pace=1000&scheme=kahan"],
      ["bf16 stochastic, beside fp32", "#tensor?pace=1000&rounding=stochastic"],
    ]) {
      const { steps, frames } = await rates(browser, fragment, seconds);
      process.stdout.write(
        `262,144 weights, ${name}: ${steps.toFixed(1)} steps a second in ${frames.toFixed(1)} pictures\n`,
      );
    }
    for (const run of ["rlvr", "sft", "opd"]) {
      const rate = await learningRate(browser, `#learn?run=${run}`, seconds);
      process.stdout.write(
        `two models of 26,048 weights, ${run}: ${rate.toFixed(1)} steps of both a second\n`,
      );
    }
  } finally {
    await browser.close();
  }
}

/** Steps of both models per second in the training view, after the first ten. */
async function learningRate(browser: Browser, fragment: string, seconds: number): Promise<number> {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await tab.goto(`${address}${fragment}`);
  const rate = await tab.evaluate<number>(
    `new Promise((resolve) => {
      let first = null, began = 0;
      setInterval(() => {
        const at = Number(document.querySelector(".transport .step")?.textContent ?? 0);
        const now = performance.now();
        if (first === null && at >= 10) [first, began] = [at, now];
        else if (first !== null && now - began >= ${1000 * seconds}) resolve((1000 * (at - first)) / (now - began));
      }, 20);
    })`,
  );
  await tab.close();
  return rate;
}

async function firstPaint(browser: Browser): Promise<number> {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await tab.goto(address);
  const paint = await tab.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => {
      const [entry] = list.getEntriesByName("first-contentful-paint");
      if (entry) resolve(entry.startTime);
    }).observe({ type: "paint", buffered: true }))`,
  );
  await tab.close();
  return paint;
}

/** Steps and frames per second that the page shows, from its tenth step on. */
async function rates(browser: Browser, fragment: string, seconds: number) {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await tab.goto(`${address}${fragment}`);
  const [steps, frames, elapsed] = await tab.evaluate<[number, number, number]>(
    `new Promise((resolve) => {
      const step = () => Number(document.querySelector(".transport .step")?.textContent ?? 0);
      let first = null, began = 0, frames = 0, last = 0;
      requestAnimationFrame(function tick(now) {
        requestAnimationFrame(tick);
        const at = step();
        if (first === null && at >= 10) [first, began] = [at, now];
        else if (first !== null && at !== last) frames += 1;
        last = at;
        if (first !== null && now - began >= ${1000 * seconds}) resolve([at - first, frames, (now - began) / 1000]);
      });
    })`,
  );
  await tab.close();
  return { steps: steps / elapsed, frames: frames / elapsed };
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
