import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { PredictionResult } from "../../src/lens/study/prediction.js";
import { visibleWidth } from "../../src/report/columns.js";
import { predictionCommandLine } from "../../src/report/command.js";
import { renderPredictionCsv } from "../../src/report/prediction.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { float32, recorded } from "../support/recorded.js";
import { renderPredictionMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");
/** What the run was trained with. */
const trained = ["--lr", "1e-5", "--betas", ".9,.95"];
const small = ["--elements", "4000", "--steps", "8"];

async function predict(...args: string[]): Promise<PredictionResult> {
  const result = JSON.parse(await output("predict", ...args, "--json", "-"));
  expectValid("prediction", result);
  return result;
}

const ruleOf = ({ rules }: PredictionResult, rule: string, knows: string) =>
  rules.find((outcome) => outcome.rule === rule && outcome.knows === knows)!;

describe("of a recorded run", () => {
  let result: PredictionResult;
  beforeAll(async () => {
    result = await predict(window, ...trained);
  });

  test("takes the recorded settings; one that contradicts them is refused", async () => {
    expect(await predict(window)).toEqual(result);
    const file = join(window, "gradients.safetensors");
    const says = '--lr 0.00001, as was recorded of "embed_tokens.weight" at step 0';
    await expectRefusal(["predict", window, "--lr", "1e-4"], file, says, "--lr 0.0001");
  });

  test("the ulp rule finds a third of what changes, the residual nearly all", async () => {
    expect(result).toMatchObject({
      input: { kind: "recorded", updates: null, gradients: join(window, "gradients.safetensors") },
      optimizer: { name: "adamw", lr: 1e-5, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 },
      format: "bf16",
      weightSteps: 7 * 26048,
    });
    expect(result.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(ruleOf(result, "ulp-rule", "moments").recall).toBeCloseTo(0.32, 2);
    expect(ruleOf(result, "residual", "moments").recall).toBeCloseTo(0.93, 2);
    expect(ruleOf(result, "residual", "gradient")).toMatchObject({ recall: 1, precision: 1 });
  });

  test("what it stores in is asked for", async () => {
    const inFp32 = await predict(window, ...trained, "--format", "fp32");
    // There is no residual where the stored weight is the master.
    const [oneStep, residual] = ["one-step", "residual"].map((rule) => ruleOf(inFp32, rule, "moments"));
    expect({ ...residual, rule: "" }).toEqual({ ...oneStep, rule: "" });
    expect(inFp32.changed).toBeGreaterThan(result.changed);
  });
});

describe("of a synthetic run", () => {
  test("a preset's settings are taken, its steps are not", async () => {
    const result = await predict("--preset", "opd", "--elements", "100");
    expect(result.input.stepNumbers).toHaveLength(60);
    expect(result.optimizer).toMatchObject({ lr: 1e-6, betas: [0.9, 0.98], weightDecay: 0.1 });
    expect(result.input.synthetic).toMatchObject({ preset: "opd", source: "gradients" });
  });

  test("one step has nothing to predict, and says so", async () => {
    const saved = join(folder, "one.json");
    expect(await output("predict", "--elements", "50", "--steps", "1", "--json", saved)).not.toMatch(
      /NaN|null/,
    );
    expect(JSON.parse(readFileSync(saved, "utf8"))).toMatchObject({ weightSteps: 0, changed: 0, steps: [] });
  });

  test("weights that are NaN are left out and counted", async () => {
    const weights = Float32Array.from({ length: 20 }, (_, i) => (i < 2 ? Number.NaN : 1));
    const gradients = [0, 1, 2].map((step) => float32(`step000${step}/w`, new Float32Array(20)));
    const run = join(folder, "nan");
    mkdirSync(run);
    put(run, "base.safetensors", encodeSafetensors([float32("w", weights)]));
    put(run, "gradients.safetensors", encodeSafetensors(gradients));
    const result = await predict(run, "--lr", "1e-5");
    // Of two steps of 20 weights.
    expect(result).toMatchObject({ weightSteps: 36, changed: 0 });
    expect(result.steps).toMatchObject([{ nonfinite: 2 }, { nonfinite: 2 }]);
    const text = await output("predict", run, "--lr", "1e-5");
    expect(text).toMatch(/^10\.0% of the weight-steps \(4\) are left out/);
    expect(text).toContain("Nothing changed");
    expect(text).not.toContain("finds –");
  });

  test("the table is within 80 columns, and a saved prediction gives it again", async () => {
    const saved = join(folder, "saved.json");
    const table = await output("predict", ...small, "--json", saved);
    expect(Math.max(...table.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
    expect(table).toMatch(/^The ulp rule on Adam's moments finds /);
    const result: PredictionResult = JSON.parse(readFileSync(saved, "utf8"));
    // A page tells the command that gives it again.
    expect(await predict(...predictionCommandLine(result).split(" ").slice(2))).toEqual(result);
    expect((await predict(...small, "--seed", "1")).steps).not.toEqual(result.steps);

    const [csv, markdown, html] = ["a.csv", "a.md", "a.html"].map((name) => join(folder, name));
    const outputs = ["--csv", csv, "--markdown", markdown, "--html", html, "--svg", join(folder, "svg")];
    expect(await output("report", saved, ...outputs)).toBe(table);
    expect(readFileSync(csv, "utf8")).toBe(renderPredictionCsv(result));
    expect(readFileSync(markdown, "utf8")).toBe(renderPredictionMarkdown(result));
    expect(readFileSync(html, "utf8")).toContain("<h1>The ulp rule ");
    expect(readFileSync(join(folder, "svg", "rules.svg"), "utf8")).toContain("<title");

    const broken = put(folder, "broken.json", JSON.stringify({ ...result, changed: 0.5 }));
    const schema = "a result of schema precision-lens-prediction/1";
    await expectRefusal(["report", broken], broken, schema, '"/changed" that is 0.5, not a whole number');
  });
});

describe("usage", () => {
  test.each<[string, string[], RegExp]>([
    [
      "a schedule beside recorded learning rates",
      [window, "--warmup", "2"],
      /are for a recording that does not say its learning rate/,
    ],
    [
      "a preset for a folder",
      [window, "--preset", "rlvr"],
      /--preset is for a synthetic run, not for FOLDER/,
    ],
    ["draws without gradients", ["--source", "steady-state"], /unknown option '--source'/],
    ["betas that are none", ["--betas", ".9,1"], /expected betas from 0 to less than 1/],
    ["betas that are none, of a folder", [window, "--betas", ".9,1"], /expected betas from 0 to less than 1/],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(["predict", ...args], message);
  });

  test("a recording with a schedule is refused; the help says so, and what to do", async () => {
    const path = join(folder, "schedule");
    mkdirSync(join(path, "gradients"), { recursive: true });
    const one = float32("w", [1, 2]);
    put(path, "base.safetensors", encodeSafetensors([one]));
    const index: Record<string, string> = {};
    for (const [step, lr] of [0.5, 0.25].entries()) {
      const file = `${step}.safetensors`;
      const metadata = { lr: String(lr), betas: "0.9,0.95" };
      put(join(path, "gradients"), file, encodeSafetensors([{ ...one, name: `step${step}/w` }], metadata));
      index[`step${step}/w`] = file;
    }
    put(join(path, "gradients"), "gradients.safetensors.index.json", JSON.stringify({ weight_map: index }));
    const same =
      "the same settings at every step of every tensor, as predict takes one: lr 0.5, betas 0.9,0.95, weight decay 0";
    await expectRefusal(
      ["predict", path],
      join(path, "gradients"),
      same,
      "lr 0.25, betas 0.9,0.95, weight decay 0",
    );
    expect((await output("predict", "--help")).replace(/\s+/g, " ")).toContain(
      "for a schedule, predict a synthetic run with --schedule and --warmup",
    );
  });

  test("a folder without gradients is refused in one sentence", async () => {
    const late = recorded("rlvr/late");
    const expected = "gradients.safetensors, gradients.safetensors.index.json or a folder gradients";
    await expectRefusal(["predict", late, ...trained], late, expected, "none of them");
  });
});
