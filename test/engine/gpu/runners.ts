import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import type { Backend } from "../../../src/engine/gpu/device.js";
import type { SelfCheck } from "../../../src/lens/result.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { bundleForBrowser } from "../../support/bundle.js";
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
  /** That of the engine: of every scheme and rounding, or of the cases named. */
  selfCheck(cases?: readonly UpdateOptions[]): Promise<SelfCheck>;
  digest(text: JobText): Promise<Digest>;
  differences(text: JobText): Promise<string[]>;
  outcome(text: JobText): Promise<Outcome>;
}

/** Dawn in this process; on a machine without a GPU, over SwiftShader. */
function dawn(): Runner {
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
    selfCheck: (cases) => engine.selfCheck(cases?.map(updateSettings)),
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

/** Chromium for the runners of a file, which calls this outside of its suites. */
function browserOfFile(): () => Promise<{ readonly browser: Browser; readonly script: string }> {
  let opening: Promise<{ readonly browser: Browser; readonly script: string }> | null = null;
  afterAll(async () => (await opening)?.browser.close());
  const open = async () => {
    const script = await bundleForBrowser(new URL("./page.ts", import.meta.url));
    const browser = await chromium.launch({ executablePath: chromiumPath()!, args: chromiumFlags });
    return { browser, script };
  };
  return () => {
    opening ??= open();
    return opening;
  };
}

/** Backends in Chromium, over SwiftShader: one browser, a page each. */
function inChromium(backends: readonly Backend[]): Runner[] {
  const opened = browserOfFile();
  return backends.map((backend) => {
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
        const { browser, script } = await opened();
        page = await browser.newPage();
        // WebGPU is for secure contexts only: a page of localhost, which this route answers.
        await page.route("http://localhost/", (route) =>
          route.fulfill({ contentType: "text/html", body: "<!doctype html><title>GPU</title>" }),
        );
        await page.goto("http://localhost/");
        await page.addScriptTag({ content: script });
      },
      close: async () => page?.close(),
      device: () => call("device"),
      selfCheck: (cases) => call("selfCheck", cases),
      digest: (text) => call("digest", text),
      differences: (text) => call("differences", text),
      outcome: (text) => call("outcome", text),
    };
  });
}

/** Everywhere the engine runs, for the tests of one file. */
export function runners(): { readonly node: Runner; readonly browsers: readonly Runner[] } {
  return { node: dawn(), browsers: inChromium(["webgl2", "webgpu"]) };
}
