import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunComparison } from "../../src/lens/learning/run-comparison.js";
import { temporaryFolder } from "../source/support.js";
import { output } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { runPython } from "./support.js";

const folder = temporaryFolder();

describeNeeding(requirements.torch, "outcome", () => {
  test("is what compare reads, and refuses what compare would", async () => {
    const path = join(folder, "run");
    cpSync(recorded("rlvr/early"), path, { recursive: true });
    const refused = JSON.parse(await runPython("write_outcome.py", [path]));
    expect(refused).toEqual([
      "run: expected keys of prompts, samplesPerPrompt, correct, passAt, klForward, klReverse, found 'pass'",
      "run: expected correct as counts from 0 to samplesPerPrompt",
      "run: expected correct as counts from 0 to samplesPerPrompt",
      "run: expected correct as counts from 0 to samplesPerPrompt",
      "run: expected 3 counts in correct, as prompts says, found 1",
      "run: expected passAt as rates from 0 to 1, found 1: 1.5",
      "run: expected passAt as rates from 0 to 1, found 1: nan",
    ]);
    const { runs }: RunComparison = JSON.parse(await output("compare", path, "--json", "-"));
    expect(runs[0].outcome).toMatchObject({
      task: "sums",
      base: { passAt: { "1": 0.5 } },
      run: { samplesPerPrompt: 4, correct: [1, 2], prompts: 2, klForward: 0.1 },
      heldOut: [{ name: "differences", base: null, run: { passAt: { "1": 0.25 } } }],
    });
  });
});
