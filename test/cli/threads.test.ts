import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { expectUsageError, output, run } from "../support/cli.js";
import { float32, writeRun } from "../support/recorded.js";
import { sized } from "../support/tier.js";
import { gaussianRun } from "../support/values.js";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "precision-lens-"));
  const { weights, updates } = gaussianRun(8, sized({ quick: 33_000, full: 100_000 }), 3);
  const steps = updates.map((update, i) => float32(`step${i}/w`, update));
  path = await writeRun(join(folder, "run"), [float32("w", weights)], steps);
});
afterAll(() => rm(folder, { recursive: true }));

/** 16 cases: enough work for threads. */
async function resultOf(...args: string[]): Promise<Result> {
  const grid = ["--format", "bf16,e4m3fn", "--scheme", "in-place,master,kahan,two-term"];
  const roundings = ["--rounding", "nearest-even,stochastic", "--seed", "3"];
  return JSON.parse(await output("run", path, ...grid, ...roundings, "--json", "-", ...args));
}

test("threads change no result; nor does the engine", async () => {
  const { engine, ...expected } = await resultOf("--engine", "reference");
  expect(engine.name).toBe("reference");
  for (const threads of sized({ quick: ["1", "5"], full: ["1", "2", "5"] })) {
    const { engine: used, ...found } = await resultOf("--engine", "wasm", "--threads", threads);
    expect(used).toMatchObject({ name: "wasm", selfCheck: { passed: 34 + 16, failed: 0 } });
    expect(found).toEqual(expected);
  }
  expect((await resultOf()).engine.name).toBe("wasm");
});

test("what is no number of threads is refused", async () => {
  for (const threads of ["0", "-1", "1.5", "many", "257"]) {
    await expectUsageError(["run", path, "--threads", threads], "--threads");
  }
});

test("what the engine does not take it refuses, and auto takes the reference", async () => {
  const exact = ["--opmath", "exact", "--rounding", "stochastic", "--format", "bf16", "--scheme", "in-place"];
  const { status, stderr } = await run(["run", path, "--engine", "wasm", ...exact]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^precision-lens: engine wasm: under exact opmath it takes neither .*\n$/);
  const result: Result = JSON.parse(await output("run", path, ...exact, "--json", "-"));
  expect(result.engine.name).toBe("reference");
});
