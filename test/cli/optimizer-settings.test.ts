import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { expectUsageError, run } from "../support/cli.js";
import { writeExcerpt } from "../support/recorded.js";

const folder = temporaryFolder();
/** A recording that says nothing of its optimizer. */
const path = await writeExcerpt(join(folder, "run"), "rlvr/early", (i) => i === 3);

/** What torch.optim.AdamW refuses with a ValueError. */
const refused: [string[], RegExp][] = [
  [["--eps", "-1"], /eps of at least 0, finite, found -1/],
  [["--betas", ".9,1"], /betas from 0 to less than 1, found 1/],
  [["--betas", "2,3"], /betas from 0 to less than 1, found 2/],
  [["--betas", "-.1,.9"], /betas from 0 to less than 1, found -0.1/],
  [["--weight-decay", "-1"], /weight decay of at least 0, finite, found -1/],
];

describe.each([[[]], [["--override"]]])("run --optimizer %j", (more) => {
  test.each([
    ...refused,
    [["--lr", "-1e-5"], /learning rate of at least 0, finite, found -0\.00001/] as const,
  ])("%j is refused as torch refuses it", async (option, message) => {
    const lr = option.includes("--lr") ? [] : ["--lr", "1e-5"];
    const { status, stdout, stderr } = await run([
      "run",
      path,
      "--optimizer",
      "adamw",
      ...lr,
      ...option,
      ...more,
    ]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: expected .*, found \S+\nRun `precision-lens run --help`\n$/);
  });

  test("a momentum of SGD below zero is refused, one above 1 is not; its second beta means nothing", async () => {
    const sgd = ["run", path, "--optimizer", "sgd", "--lr", "1e-5", "--quiet", ...more];
    expect((await run([...sgd, "--betas", "-1,0"])).stderr).toMatch(
      /momentum .* of at least 0, finite, found -1/,
    );
    expect((await run([...sgd, "--betas", "1.5,7"])).status).toBe(0);
  });
});

test.each([["run"], ["simulate"]])(
  "a recipe that %s does not know is refused with those that it knows",
  async (command) => {
    const words =
      command === "run"
        ? ["run", path, "--optimizer", "adamw", "--lr", "1e-5"]
        : ["simulate", "--preset", "rlvr", "--elements", "1000"];
    await expectUsageError(
      [...words, "--recipe", "shampoo"],
      /unknown recipe "shampoo" of adamw: expected torch-2\.13-cpu-for-loop, /,
    );
    await expectUsageError(
      [...words, "--recipe", "muon,kahan"],
      /recipe muon is of the optimizer muon, not of adamw/,
    );
  },
);

test.each(refused)("simulate, sweep and predict %j", async (option) => {
  for (const command of ["simulate", "sweep", "predict"]) {
    const steps = ["--steps", "2", "--elements", "100"];
    const { status, stdout } = await run([command, ...steps, ...option]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  }
});
