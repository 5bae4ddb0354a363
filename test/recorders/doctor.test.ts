import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, run } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { expectValid } from "../support/schemas.js";
import { runPython } from "./support.js";

const folder = temporaryFolder();
const path = (name: string) => join(folder, `${name}.json`);

async function verified(name: string) {
  const { status, stdout } = await run(["vectors", "--verify", path(name), "--json", "-"]);
  const report = JSON.parse(stdout);
  expectValid("framework-verification", report);
  return { status, ...report };
}

describeNeeding(requirements.torch, "the doctor for frameworks", () => {
  let release = "";
  let said = "";
  beforeAll(async () => {
    said = await runPython("examine.py", [folder]);
    release = JSON.parse(readFileSync(path("adamw"), "utf8")).version;
  });
  /** What is right of torch 1.13 alone; the newer one that was named is read all the same. */
  const is113 = () => release.startsWith("1.13");

  it("writes files that keep to their schema", () => {
    for (const name of ["adamw", "sgd", "adagrad"]) {
      expectValid("framework", JSON.parse(readFileSync(path(name), "utf8")));
    }
  });

  it.each([
    ["adamw", "adamw", "torch-1.13-cpu"],
    ["adam", "adam", "torch-1.13-cpu"],
    ["sgd", "sgd", "torch-2.13-cpu-foreach"],
    ["right", "adamw", "torch-1.13-cpu"],
  ])(
    "%s: torch 1.13 on the CPU is the recipe %s %s, every bit, left-over elements too",
    async (name, optimizer, recipe) => {
      if (!is113()) return;
      const { status, is, casts } = await verified(name);
      expect(is).toEqual([{ optimizer, name: recipe }]);
      expect(casts.map(({ wrong }: { wrong: number }) => wrong)).toEqual(casts.map(() => 0));
      expect(status).toBe(0);
      const { stdout } = await run(["vectors", "--verify", path(name)]);
      expect(stdout).toContain(
        `It is the recipe ${recipe} of ${optimizer}: all of 1,710 steps of an element, every bit.`,
      );
    },
  );

  it("tells by which state a wrong one parts, how often, and where first", async () => {
    if (!is113()) return;
    const truncated = await verified("v-truncated");
    expect(truncated).toMatchObject({ status: 3, is: [] });
    expect(truncated.recipes[0]).toMatchObject({ optimizer: "adamw", name: "torch-1.13-cpu" });
    const [m, v, p] = truncated.recipes[0].stages;
    expect([m.wrong, p.wrong]).toEqual([0, 0]);
    expect(v.wrong).toBeGreaterThan(400);
    expect(truncated.recipes[0].first).toMatchObject({ state: "v" });

    const uncorrected = await verified("uncorrected");
    const stages = uncorrected.recipes[0].stages.map(({ state, wrong }: { state: string; wrong: number }) => [
      state,
      wrong > 100,
    ]);
    expect(stages).toEqual([
      ["m", false],
      ["v", false],
      ["p", true],
    ]);
    const { status, stdout } = await run(["vectors", "--verify", path("uncorrected")]);
    expect(status).toBe(3);
    expect(stdout).toMatch(
      /It is none of the recipes\. Nearest is torch-1\.13-cpu of adamw: [\d,]+ of 1,710 steps/,
    );
    expect(stdout).toMatch(
      /second moment \(v\): all of 1,710, every bit\n {2}weight, where the moments are right: [\d,]+ of 1,710 differ/,
    );
    expect(stdout).toMatch(/first: step 1, element \d+, g .*: p became .*, expected /);
  });

  it("names the mistake of a wrong cast", async () => {
    const { casts } = await verified("v-truncated");
    expect(casts).toMatchObject([{ to: "bf16", wrong: expect.any(Number) }]);
    expect(casts[0].mistakes.map(({ name }: { name: string }) => name).join()).toMatch(/half away|half up/);
  });

  it("says which states no recipe keeps", async () => {
    const { status, stdout } = await run(["vectors", "--verify", path("adagrad")]);
    expect(status).toBe(3);
    expect(stdout).toContain("No recipe keeps what it keeps: sum.");
  });

  it("takes a class on the command line, and refuses what is none in one sentence", () => {
    const { optimizer, settings, shape } = JSON.parse(readFileSync(path("by-command"), "utf8"));
    expect({ optimizer, shape }).toEqual({ optimizer: "torch.optim.adamw.AdamW", shape: [19, 15] });
    expect(settings).toMatchObject({ lr: 0.03, betas: [0.9, 0.95], weight_decay: 0.5, foreach: true });
    expect(said).toContain(`${path("by-command")}: precision-lens vectors --verify`);
    expect(said).toMatch(/expected a class that can be imported, .*, found torch\.optim\.AdamV: .*\n2\n$/);
  });

  it("a file that is damaged is called what it is", async () => {
    const text = readFileSync(path("adamw"), "utf8");
    const damaged = join(folder, "damaged.json");
    const refused = async (content: string, expected: string, found: string) => {
      writeFileSync(damaged, content);
      await expectRefusal(["vectors", "--verify", damaged], damaged, expected, found);
    };
    const schema = "JSON of schema precision-lens-framework/1";
    await refused(text.slice(0, 5000), schema, "text that ends or breaks off elsewhere");
    const changed = (change: (file: Record<string, unknown>) => void) => {
      const file = JSON.parse(text);
      change(file);
      return JSON.stringify(file);
    };
    await refused(
      changed((document) => {
        document.format = "e9m9";
      }),
      "a format bf16, fp16 or fp32",
      '"e9m9"',
    );
    await refused(
      changed((document) => {
        document.start = "3f80";
      }),
      "285 weights before the first step",
      "1",
    );
    await refused(
      changed((document) => {
        document.steps = [];
      }),
      "steps",
      "[]",
    );
    await refused(
      changed((document) => {
        document.shape = [-1];
      }),
      "a shape",
      "[-1]",
    );
  });
});
