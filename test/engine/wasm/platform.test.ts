import { afterEach, describe, expect, it, vi } from "vitest";
import { updateSettings } from "../../../src/update/settings.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

/** The engine as it is where the platform lacks what is stubbed. */
async function engineThere() {
  vi.resetModules();
  return (await import("../../../src/engine/wasm/wasm.js")).wasm;
}

afterEach(() => {
  vi.unstubAllGlobals();
  // Files of this group share their modules.
  vi.resetModules();
});

describe("the platform", () => {
  it("with SIMD, threads and shared memory", async () => {
    const wasm = await engineThere();
    expect(await wasm.unavailable!()).toBeNull();
    expect(wasm.device).toMatch(/^CPU, WebAssembly SIMD, \d+ threads$/);
  });

  it("without WebAssembly, or without its SIMD, has no such engine, and says so", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(await (await engineThere()).unavailable!()).toBe("this platform has no WebAssembly with SIMD");
    vi.stubGlobal("WebAssembly", { validate: () => false });
    expect(await (await engineThere()).unavailable!()).toBe("this platform has no WebAssembly with SIMD");
  });

  it.each([
    ["shared memory", "SharedArrayBuffer", undefined, "one thread: no shared memory here"],
    ["worker threads", "process", {}, "one thread: no worker threads here"],
  ])("without %s works on one thread, and says so", async (_, name, stub, says) => {
    vi.stubGlobal(name, stub);
    const wasm = await engineThere();
    expect(wasm.device).toBe(`CPU, WebAssembly SIMD, ${says}`);
    const { weights, updates } = gaussianRun(4, 5000, 1);
    const job = { tensors: [tensorOf("w", weights, ...updates)], stepNumbers: [0] };
    const [tally] = await wasm.run({ ...job, cases: [updateSettings({ format: "bf16" })] });
    expect(tally.tensors[0].tally.updates.none).toBe(updates[0].filter((u) => u === 0).length);
  });
});
