import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Check } from "../../src/lens/run/check.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { expectedCases } from "../support/expected.js";
import { recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const shipped = "src/example";

async function check(...args: string[]): Promise<Check> {
  const found = JSON.parse(await output("check", ...args, "--json", "-"));
  expectValid("check", found);
  return found;
}

describe("the verdict", () => {
  test("on the shipped run in-place: it loses nearly all", async () => {
    expect(await check(shipped, "--scheme", "in-place")).toMatchObject({
      format: "bf16",
      scheme: "in-place",
      verdict: "loses",
      failed: false,
    });
    expect(await output("check", shipped, "--scheme", "in-place")).toMatch(
      /^Loses 9\d\.\d% of what its updates add up to: bf16 in-place\.\n.*after 8 steps;.*\nOf the updates that are not zero, .* were rounded away\.\n$/,
    );
  });

  test("on the same run with a master: it keeps all, though few of its bits show it", async () => {
    const found = await check(shipped, "--scheme", "master");
    expect(found.verdict).toBe("keeps");
    expect(found.retained).toBeGreaterThan(0.99);
    expect(found.visible).toBeLessThan(0.5);
    expect(await output("check", shipped, "--scheme", "master")).toContain(
      "are held in the master or compensation buffer",
    );
  });

  test("on fine-tuning in-place: what numpy counted", async () => {
    const [numpy] = expectedCases("sft/late").filter(
      ({ format, scheme }) => format === "bf16" && scheme === "in-place",
    );
    const found = await check(recorded("sft/late"), "--scheme", "in-place");
    expect(found.verdict).toBe("loses");
    const { lost, kept, moved } = numpy as unknown as Record<"lost" | "kept" | "moved", number>;
    expect(found.updates.lost).toBeCloseTo(lost / (lost + kept + moved), 12);
    expect(found.lost).toBeCloseTo(1 - found.retained!, 15);
  });

  test("under stochastic rounding: on average, and with how much noise", async () => {
    const args = [shipped, "--scheme", "in-place", "--rounding", "stochastic"];
    const found = await check(...args);
    expect(found.verdict).toBe("keeps-on-average");
    expect(found.noise).toBeGreaterThan(1);
    const text = await output("check", ...args);
    expect(text).toMatch(/with noise of \d\.\d\d times it/);
    expect(text).not.toContain("rounded away");
  });

  test("of a master it owes nothing to chance: only its view is rounded stochastically", async () => {
    const args = [shipped, "--scheme", "master", "--rounding", "stochastic"];
    expect(await check(...args)).toMatchObject({ verdict: "keeps", retained: 1, noise: 0 });
    const text = await output("check", ...args);
    expect(text).toMatch(
      /^Keeps its updates: bf16 with an fp32 master with stochastic rounding\.\n.*after 8 steps; /,
    );
    expect(text).toContain("were rounded away");
    expect(text).not.toMatch(/on average|noise|chance/);
  });
});

describe("--fail-above", () => {
  test.each([
    ["in-place", ".5", 3, "Failed: at most 50.0% may be lost"],
    ["master", ".5", 0, "Passed: at most 50.0% may be lost"],
    ["master", "0.01", 0, "Passed"],
    ["in-place", "1", 0, "Passed"],
  ])("%s, %s: exit code %i", async (scheme, share, code, words) => {
    const { status, stdout, stderr } = await run([
      "check",
      shipped,
      "--scheme",
      scheme,
      "--fail-above",
      share,
    ]);
    expect([status, stderr]).toEqual([code, ""]);
    expect(stdout).toContain(words);
  });

  test("what is no share is refused", () =>
    expectUsageError(["check", shipped, "--fail-above", "50"], /expected a share from 0 to 1/));

  test("the JSON is there though the check failed", async () => {
    const file = join(folder, "check.json");
    const args = ["check", shipped, "--scheme", "in-place", "--fail-above", "0", "--json", file, "--quiet"];
    expect(await run(args)).toMatchObject({ status: 3, stdout: "", stderr: "" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ failed: true, failAbove: 0 });
  });
});

describe("weights that became NaN", () => {
  const overflowed = join(folder, "overflow");
  mkdirSync(overflowed);
  const shape = [4];
  const data = Float32Array.of(1, 1, 1, 1);
  put(overflowed, "base.safetensors", encodeSafetensors([{ name: "w", dtype: "F32", shape, data }]));
  const update = { name: "step0/w", dtype: "F32", shape, data: Float32Array.of(0.5, 500, 500, 500) };
  put(overflowed, "updates.safetensors", encodeSafetensors([update]));
  const args = ["check", overflowed, "--format", "e4m3fn", "--scheme", "master"];

  test("are told first, and no verdict is given on the rest alone", async () => {
    expect(await check(...args.slice(1))).toMatchObject({ verdict: "unknown", nonfinite: 3, retained: 1 });
    expect(await output(...args)).toMatch(
      /^75.0% of the weights \(3\) were or became NaN or Inf: they keep no updates\.\nNo verdict: .*\nOf the finite weights, weight plus carrier retains 1\.00/,
    );
  });

  test("fail the check, with the reason", async () => {
    const { status, stdout } = await run([...args, "--fail-above", "0.5"]);
    expect(status).toBe(3);
    expect(stdout).toContain(
      "Failed: at most 50.0% may be lost, and no weight may be NaN or Inf (--fail-above).",
    );
  });
});

describe("how the run is stored", () => {
  const made = (name: string, dtype: "F32" | "BF16", metadata: Record<string, string> = {}) => {
    const run = join(folder, name);
    mkdirSync(run);
    const data = dtype === "F32" ? Float32Array.of(1, 2) : Uint16Array.of(0x3f80, 0x4000);
    put(run, "base.safetensors", encodeSafetensors([{ name: "w", dtype, shape: [2], data }]));
    const update = { name: "step0/w", dtype: "F32", shape: [2], data: Float32Array.of(1e-6, 0.25) };
    put(run, "updates.safetensors", encodeSafetensors([update], metadata));
    return run;
  };

  test("as its metadata say", async () => {
    const metadata = { format: "fp16", scheme: "kahan" };
    expect(await check(made("told", "F32", metadata))).toMatchObject({ ...metadata, verdict: "keeps" });
  });

  test("as learn --record says in one field of its metadata, with the rounding", async () => {
    const run = made("together", "F32", { stored_as: "bf16 in-place stochastic" });
    const told = { format: "bf16", scheme: "in-place" };
    expect(await check(run)).toMatchObject({ ...told, rounding: "stochastic" });
    expect(await check(run, "--rounding", "nearest-even")).toMatchObject({
      ...told,
      rounding: "nearest-even",
    });
    // The rounding was that of another scheme.
    expect(await check(run, "--scheme", "master")).toMatchObject({
      format: "bf16",
      scheme: "master",
      rounding: "nearest-even",
    });
    const apart = { stored_as: "bf16 in-place nearest-even", format: "fp16", scheme: "kahan" };
    expect(await check(made("both", "F32", apart))).toMatchObject({ format: "fp16", scheme: "kahan" });
  });

  test("a rounding that is none is refused", async () => {
    const run = made("rounded", "F32", { stored_as: "bf16 in-place best" });
    await expectRefusal(
      ["check", run],
      join(run, "updates.safetensors"),
      "a rounding in its metadata",
      '"best"',
    );
  });

  test("in fp32 where its weights are, and as asked where options ask", async () => {
    const run = made("fp32", "F32");
    expect(await check(run)).toMatchObject({ format: "fp32", scheme: "in-place", verdict: "keeps" });
    expect(await check(run, "--scheme", "in-place")).toMatchObject({ format: "bf16" });
    expect(await check(run, "--format", "e4m3fn")).toMatchObject({ format: "e4m3fn", scheme: "in-place" });
  });

  test("a bf16 file may be the start of any run: it is asked for", async () => {
    const run = made("bf16", "BF16");
    const says = "format and scheme, or stored_as, in its metadata, or --scheme";
    await expectRefusal(["check", run], join(run, "base.safetensors"), says, "weights in bf16");
  });

  test("a scheme that is none is refused", async () => {
    const run = made("wrong", "F32", { scheme: "best" });
    const says = "a scheme in its metadata (in-place, master, kahan, two-term)";
    await expectRefusal(["check", run], join(run, "updates.safetensors"), says, '"best"');
  });
});
