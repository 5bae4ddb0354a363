import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import type { SelfCheck } from "../../../src/lens/run/result.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { bundleForBrowser } from "../bundle.js";
import { prepareDawn } from "../dawn.js";
import { chromiumPath, type Requirement, requirements } from "../requirements.js";
import {
  type Digest,
  differences,
  digestOf,
  type GpuPath,
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
function dawn(path: GpuPath): Runner {
  let engine: Engine;
  return {
    name: `${path} in Node`,
    needs: requirements.vulkan,
    open: async () => {
      prepareDawn();
      engine = await openGpu(path);
    },
    close: async () => engine.close?.(),
    device: async () => engine.device,
    selfCheck: (cases) => engine.selfCheck(cases?.map(updateSettings)),
    digest: (text) => digestOf(engine, text),
    differences: (text) => differences(engine, text),
    outcome: (text) => outcomeOf(engine, jobOf(text)),
  };
}

export const chromiumFlags = [
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
  // As in Node (engine/webgpu/dawn.ts).
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
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

/** Engines in Chromium, over SwiftShader: one browser, a page each. */
function inChromium(paths: readonly GpuPath[]): Runner[] {
  const opened = browserOfFile();
  return paths.map((path) => {
    let page: Page;
    const call = <T>(name: string, ...args: unknown[]): Promise<T> =>
      page.evaluate(
        ([method, values]) =>
          (globalThis as unknown as { gpuPage: Record<string, (...args: unknown[]) => Promise<T>> }).gpuPage[
            method
          ](...values),
        [name, [path, ...args]] as const,
      );
    return {
      name: `${path} in Chromium`,
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

/** Everywhere the gpujs engine runs, for the tests of one file. */
export function gpujsRunners(): { readonly node: Runner; readonly browsers: readonly Runner[] } {
  return { node: dawn("gpujs webgpu"), browsers: inChromium(["gpujs webgl2", "gpujs webgpu"]) };
}

/** Everywhere the webgpu engine runs, for the tests of one file. */
export function webGpuRunners(): { readonly node: Runner; readonly browser: Runner } {
  const [browser] = inChromium(["webgpu"]);
  return { node: dawn("webgpu"), browser };
}
