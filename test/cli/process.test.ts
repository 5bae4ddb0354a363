import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { ended, output, run, runProcess, start } from "../support/cli.js";
import { float32, recorded, writeRun } from "../support/recorded.js";
import { sized } from "../support/tier.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");
const sides = [recorded("base.safetensors"), recorded("rlvr/final-fp32.safetensors")];
const saved = join(folder, "saved.json");
await output("run", window, "--quiet", "--json", saved);

/** As many weight-steps, of two cases, as threads are worth. */
const step = new Float32Array(2 ** 18).fill(1e-6);
const long = await writeRun(
  join(folder, "long"),
  [float32("w", step)],
  Array.from({ length: 8 }, (_, i) => float32(`step${i}/w`, step)),
);
const small = ["--elements", "1000", "--steps", "2"];

/**
 * Other tests call commands in their own process, which is not to end: here each ends by itself. So does demo in
 * test/package.test.ts, and in the full tier doctor in gpu.test.ts.
 */
describe("the process gives what the call gives, and ends", () => {
  const others: [string, number, string[]][] = [
    ["sweep", 0, ["sweep", ...small, "--lr", "1e-6,1e-4"]],
    ["predict", 0, ["predict", ...small]],
    ["report", 0, ["report", saved, "--html", "-"]],
  ];
  test.each<[string, number, string[]]>([
    ...sized({ quick: [], full: others }),
    ["run, on threads", 0, ["run", long, "--threads", "2"]],
    ["diff, on threads", 0, ["diff", ...sides, "--threads", "2"]],
    ["simulate", 0, ["simulate", ...small]],
    ["explain", 0, ["explain", "0.02", "1e-6"]],
    ["serve --export", 0, ["serve", "--export", "-"]],
    ["help", 0, ["help", "diff"]],
    ["an unknown command", 2, ["frobnicate"]],
    ["bad input of diff, on threads", 2, ["diff", folder, folder, "--threads", "2"]],
    ["bad input of any other", 2, ["run", folder]],
  ])("%s", async (_, status, args) => {
    const called = await run(args);
    expect(called.status).toBe(status);
    expect(await runProcess(args)).toEqual(called);
  });

  test("an internal error is told with its place, and exit code 1", async () => {
    const broken = "--import=data:text/javascript,process.stdout.write=()=>{throw(Error('broken'))}";
    for (const args of [
      ["explain", "1", "1"],
      ["diff", ...sides],
    ]) {
      const { status, stdout, stderr } = await runProcess(args, { NODE_OPTIONS: broken });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^precision-lens: internal error: Error: broken\n {4}at /);
    }
  });

  test("a reader that has seen enough ends it quietly", async () => {
    const child = start(["serve", "--export", "-"]);
    child.stdout!.destroy();
    expect(await ended(child)).toEqual({ status: 0, stdout: "", stderr: "" });
    const refused = start(["run", folder]);
    refused.stderr!.destroy();
    expect((await ended(refused)).stdout).toBe("");
  });
});

test("a call leaves no listener behind in the process it is made in", async () => {
  const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
  const before = listeners();
  const weights = join(folder, "w.safetensors");
  await output("run", window, "--scheme", "master", "--write-weights", weights, "--quiet");
  await output("run", window, "--resume", join(folder, "progress"), "--quiet");
  await output("diff", ...sides, "--threads", "2", "--quiet");
  expect(listeners()).toEqual(before);
});
