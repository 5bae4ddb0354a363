import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Engine } from "../../../src/engine/engine.js";
import type { Backend } from "../../../src/engine/gpu/device.js";
import type { SelfCheck } from "../../../src/lens/result.js";
import { prepareDawn } from "../../support/dawn.js";
import { chromiumPath, type Requirement, requirements } from "../../support/requirements.js";
import {
  type Digest,
  differences,
  digestOf,
  type JobText,
  jobOf,
  type Outcome,
  openGpu,
  outcomeOf,
} from "./jobs.js";

/** A place where the GPU engine runs: a backend in this process or in a browser. */
export interface Runner {
  readonly name: string;
  readonly needs: Requirement;
  open(): Promise<void>;
  close(): Promise<void>;
  device(): Promise<string>;
  selfCheck(): Promise<SelfCheck>;
  digest(text: JobText): Promise<Digest>;
  differences(text: JobText): Promise<string[]>;
  outcome(text: JobText): Promise<Outcome>;
}

/** Dawn in this process; on a machine without a GPU, over SwiftShader. */
export function dawn(): Runner {
  let engine: Engine;
  return {
    name: "webgpu in Node",
    needs: requirements.vulkan,
    open: async () => {
      prepareDawn();
      engine = await openGpu("webgpu");
    },
    close: async () => engine.close?.(),
    device: async () => engine.device,
    selfCheck: () => engine.selfCheck(),
    digest: (text) => digestOf(engine, text),
    differences: (text) => differences(engine, text),
    outcome: (text) => outcomeOf(engine, jobOf(text)),
  };
}

const chromiumFlags = [
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

/** A backend in Chromium, over SwiftShader. */
export function inChromium(backend: Backend): Runner {
  let browser: Browser;
  let page: Page;
  const call = <T>(name: string, ...args: unknown[]): Promise<T> =>
    page.evaluate(
      ([of, values]) =>
        (globalThis as unknown as { gpuPage: Record<string, (...args: unknown[]) => Promise<T>> }).gpuPage[
          of
        ](...values),
      [name, [backend, ...args]] as const,
    );
  return {
    name: `${backend} in Chromium`,
    needs: requirements.chromium,
    open: async () => {
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
      browser = await chromium.launch({ executablePath: chromiumPath()!, args: chromiumFlags });
      page = await browser.newPage();
      // WebGPU is for secure contexts only: a page of localhost, which this route answers.
      await page.route("http://localhost/", (route) =>
        route.fulfill({ contentType: "text/html", body: "<!doctype html><title>GPU</title>" }),
      );
      await page.goto("http://localhost/");
      await page.addScriptTag({ content: bundle.outputFiles[0].text });
    },
    close: async () => browser?.close(),
    device: () => call("device"),
    selfCheck: () => call("selfCheck"),
    digest: (text) => call("digest", text),
    differences: (text) => call("differences", text),
    outcome: (text) => call("outcome", text),
  };
}
