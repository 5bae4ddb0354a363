import { rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { temporaryFolder } from "../source/support.js";
import { output, run } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { bitsIn, differing, runPython } from "./support.js";

const folder = temporaryFolder();

interface Told {
  readonly ends: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly others: Readonly<
    Record<string, { readonly warnings: readonly string[]; readonly moments: boolean }>
  >;
}

async function replayed(path: string, kind: string, dtype: string, ...more: string[]) {
  const end = join(folder, "end.safetensors");
  const ran = await run([
    ...["run", path, "--optimizer", kind, "--recipe", "torch-2.13-cpu-for-loop", "--strict", "--quiet"],
    ...["--format", dtype === "bfloat16" ? "bf16" : "fp32", "--write-weights", end, ...more],
  ]);
  expect(ran).toEqual({ status: 0, stdout: "", stderr: "" });
  return bitsIn(end);
}

describeNeeding(requirements.torch, "a window in the midst of a training", () => {
  let told: Told;
  beforeAll(async () => {
    told = JSON.parse(await runPython("late_window.py", [folder]));
  }, 300_000);

  describe("replays from its recorded moments, with no option but the recipe, to the very bits that torch holds", () => {
    test.each([
      ["sgd", "bfloat16"],
      ["sgd", "float32"],
      ["adamw", "bfloat16"],
    ])("%s in %s: two groups, a schedule, a tensor that took fewer steps", async (kind, dtype) => {
      const name = `${kind}-${dtype}`;
      const expected = told.ends[name];
      expect(await replayed(join(folder, name), kind, dtype)).toEqual(expected);
      // From moments of zero it would end elsewhere.
      const from = join(folder, `${name}-without`);
      await cp(join(folder, name), from, { recursive: true });
      rmSync(join(from, "moments.safetensors"));
      const elsewhere = await replayed(from, kind, dtype, "--override");
      for (const tensor of Object.keys(expected)) {
        // At least a quarter of all words of four bytes.
        expect(differing(elsewhere[tensor], expected[tensor]), tensor).toBeGreaterThan(
          expected[tensor].length / 32,
        );
      }
    });
  });

  test("the result says what was recorded, and that a tensor took fewer steps", async () => {
    const json = await output("run", join(folder, "adamw-bfloat16"), "--optimizer", "adamw", "--json", "-");
    const { settings, input } = JSON.parse(json) as Result;
    expect(input.stepNumbers).toEqual([24, 25, 26, 27]);
    expect(settings.optimizer).toEqual({
      name: "adamw",
      lr: { least: 2 ** -11, most: 2 ** -9 },
      betas: [0.5, 0.5],
      eps: 1e-8,
      weightDecay: { least: 0, most: 2 ** -3 },
      stepsTaken: { least: 22, most: 24 },
      recorded: { given: {}, override: false },
    });
  });

  test("without its moments it is refused, with what to do", async () => {
    const path = join(folder, "adamw-bfloat16-bare");
    await cp(join(folder, "adamw-bfloat16"), path, { recursive: true });
    rmSync(join(path, "moments.safetensors"));
    const { status, stdout, stderr } = await run(["run", path, "--optimizer", "adamw"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^precision-lens: .*: expected moments\.safetensors with the moments before step 24, as the optimizer's state was not empty: record them too \(or --override\), found none\n$/,
    );
  });

  test("an optimizer with other states: none are written, or the wish for them ends the recording", () => {
    expect(told.others.None).toEqual({ warnings: [], moments: false });
    expect(told.others.True.moments).toBe(false);
    expect(told.others.True.warnings[0]).toMatch(
      /the recording in .* ends at step 0: ValueError\("moments: expected/,
    );
  });
});
