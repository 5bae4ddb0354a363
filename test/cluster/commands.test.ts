import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { float32, recorded } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";
import { fullTier, sized } from "../support/tier.js";
import { gaussian } from "../support/values.js";
import { comparable, expectSame, jsonOf, runShards } from "./support.js";

const folder = temporaryFolder();

/** Two checkpoints of tensors that are cut, and of one that is compared by bytes. */
function checkpoint(name: string, size: number): string {
  const numbers = gaussian(1);
  const moves = gaussian(2);
  const tensor = (elements: number) =>
    Float32Array.from({ length: elements }, () => 0.02 * numbers() + size * moves());
  const tensors = [150_000, 100, 70_000].map((elements, i) =>
    float32(`model.layers.${i}.mlp.up_proj.weight`, tensor(elements)),
  );
  const ids = { name: "ids", dtype: "I32", shape: [3], data: Int32Array.of(1, 2, size > 0 ? 4 : 3) };
  return put(folder, name, encodeSafetensors([...tensors, ids]));
}

const pair = [checkpoint("before.safetensors", 0), checkpoint("after.safetensors", 1e-6)];

describe("a command in shards, merged, gives what it gives at once", () => {
  const sampled = ["--model", "qwen2.5-0.5b", "--elements", "3000", "--steps", "2"];
  const window = recorded("rlvr/early");
  const all: readonly (readonly [string, readonly string[], number])[] = [
    ["diff", ["diff", ...pair, "--view", "bf16"], 3],
    ["simulate", ["simulate", "--steps", "2", "--elements", "9000", "--format", "bf16,e4m3"], 2],
    ["run", ["run", window, "--engine", "wasm", "--format", "bf16", "--scheme", "kahan"], 2],
  ];
  const more: typeof all = [
    [
      "sweep of a sample",
      ["sweep", ...sampled, "--format", "bf16", "--rounding", "stochastic", "--lr", "1e-6,1e-5"],
      2,
    ],
    ["diff at its own formats", ["diff", ...pair], 5],
    ["diff of a recorded run", ["diff", window, window], 4],
    ["diff with shared scales", ["diff", ...pair, "--view", "mxfp4"], 3],
    ["simulate of a sample", ["simulate", ...sampled, "--format", "bf16"], 3],
    [
      "simulate with a recipe",
      ["simulate", "--steps", "2", "--elements", "9000", "--recipe", "torch-2.13-cpu-foreach"],
      3,
    ],
    ["sweep of a recorded run", ["sweep", window, "--format", "bf16", "--scheme", "in-place,master"], 3],
    ["run with shared scales", ["run", window, "--format", "mxfp4,nvfp4,fp8-128x128"], 3],
    ["run of gradients", ["run", window, "--optimizer", "adamw"], 7],
  ];
  test.each(fullTier ? [...all, ...more] : all)("%s", async (_, args, shards) => {
    await expectSame(args, shards, folder);
  });

  test("more shards than there is work", async () => {
    await expectSame(["diff", ...pair], sized({ quick: 8, full: 40 }), folder);
  });
});

describe("merge", () => {
  const args = ["diff", ...pair];
  const shards = () => runShards(args, 3, folder);

  test("of some shards tells the share, can be merged again and rendered, and keeps to its schema", async () => {
    const [a, b, c] = await shards();
    const some = join(folder, "some.json");
    const told = await run(["merge", c, a, "--partial", "--json", some]);
    expect(told.stderr).toMatch(/^precision-lens: 2 of 3 shards, \d\d\.\d% of the weights; missing: 1\n$/);
    for (const file of [a, some]) expectValid("diff", jsonOf(file));
    const whole = await output("merge", some, b, "--quiet", "--json", "-");
    expect(comparable(whole)).toBe(comparable(await output(...args, "--quiet", "--json", "-")));
    expect((await run(["report", a])).stderr).toMatch(/^precision-lens: shard 0 of 3, /);
  });

  test("refuses what is missing, doubled, cut off, or of another run, by the name of the file", async () => {
    const [a, b, c] = await shards();
    await expectRefusal(
      ["merge", a, c],
      "merge",
      "all 3 shards (--partial merges those that are there)",
      "2; missing: 1",
    );
    await expectRefusal(["merge", a, a], a, "every shard once", `shard 0 of 3, which ${a} has too`);
    const cut = put(folder, "cut.json", readFileSync(b).subarray(0, 2000));
    await expectRefusal(["merge", a, cut, c], cut, "a saved result", "no valid JSON");
    const same = `a shard of the same work as ${a}`;
    const shardWith = async (name: string, ...more: readonly string[]) => {
      const file = join(folder, name);
      await output("diff", ...more, "--quiet", "--shard", "1/3", "--json", file);
      return file;
    };
    const seed = await shardWith("seed.json", ...pair, "--seed", "1");
    await expectRefusal(["merge", a, seed, c], seed, same, "another seed, 1 and not 0");
    // A file of the same name, size and header.
    mkdirSync(join(folder, "again"));
    const other = await shardWith("other.json", pair[0], checkpoint("again/after.safetensors", 2e-6));
    await expectRefusal(["merge", a, other], other, same, "that of other files, or of other options");
    const release = join(folder, "release.json");
    writeFileSync(
      release,
      JSON.stringify({ ...jsonOf(b), tool: { name: "precision-lens", version: "9.9.9" } }),
    );
    const { version } = jsonOf(a).tool;
    await expectRefusal(["merge", a, release], release, same, `one of release "9.9.9", there "${version}"`);
    const whole = join(folder, "whole.json");
    await output(...args, "--quiet", "--json", whole);
    await expectRefusal(
      ["merge", whole],
      whole,
      "the result of a shard, run with --shard",
      "that of a whole",
    );
  });
});

describe("--shard", () => {
  const args = ["diff", ...pair, "--quiet"];

  test("takes its number, and how many there are, from Slurm and Kubernetes", async () => {
    const part = async (shard: string, env: Record<string, string>) => {
      const { stdout, stderr } = await run([...args, "--shard", shard, "--json", "-"], env);
      expect(stderr).toBe("");
      const { index, of: total } = JSON.parse(stdout).part;
      return [index, total];
    };
    const array = { SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_MAX: "3", SLURM_ARRAY_TASK_COUNT: "4" };
    expect(await part("auto", { SLURM_ARRAY_TASK_ID: "3", ...array })).toEqual([3, 4]);
    // Only 2 and 5 of 8 are run again.
    expect(await part("auto/8", { SLURM_ARRAY_TASK_ID: "5", SLURM_ARRAY_TASK_COUNT: "2" })).toEqual([5, 8]);
    expect(await part("auto/2", { JOB_COMPLETION_INDEX: "1" })).toEqual([1, 2]);
    const refused = async (shard: string, env: Record<string, string>) =>
      (await run([...args, "--shard", shard], env)).stderr.split("\n")[0];
    expect(await refused("auto", { SLURM_ARRAY_TASK_ID: "1", ...array, SLURM_ARRAY_TASK_MIN: "1" })).toMatch(
      "expected auto/N",
    );
    expect(await refused("auto", { JOB_COMPLETION_INDEX: "0" })).toMatch("Kubernetes does not tell how many");
    expect(await refused("auto/2", { JOB_COMPLETION_INDEX: "2" })).toMatch("from 0 to 1, found 2");
    expect(await refused("auto/2", {})).toMatch("found neither");
    expect(await refused("auto/2", { JOB_COMPLETION_INDEX: "0", SLURM_ARRAY_TASK_ID: "0" })).toMatch(
      "found both",
    );
  });

  test("refuses numbers that are none, and what a part cannot tell", async () => {
    for (const wrong of ["8", "3/3", "-1/3", "1/0", "a/3", "1/2/3", "plan"]) {
      await expectUsageError([...args, `--shard=${wrong}`], /--shard/);
    }
    await expectUsageError([...args, "--shard", "0/2", "--geometry"], "--geometry measures whole matrices");
    await expectUsageError([...args, "--shard", "0/2", "--html", "a.html"], "--html is for a whole");
    await expectUsageError(
      [...args.slice(0, 3), pair[1], "--shard", "0/2"],
      "--shard is for two checkpoints",
    );
  });

  test("never writes over the result of another shard", async () => {
    const file = join(folder, "same.json");
    await output(...args, "--shard", "0/3", "--json", file);
    const before = readFileSync(file, "utf8");
    await expectRefusal(
      [...args, "--shard", "1/3", "--json", file],
      file,
      "a file of its own for shard 1 of 3",
      "the result of shard 0 of 3",
    );
    expect(readFileSync(file, "utf8")).toBe(before);
    // The same one, run again, may.
    await output(...args, "--shard", "0/3", "--json", file);
  });

  test("plan/N shows bytes and time, and adds up to all", async () => {
    const plan = JSON.parse(await output(...args, "--shard", "plan/3", "--json", "-"));
    expectValid("plan", plan);
    const sum = (field: "bytes" | "elements") =>
      plan.shards.reduce((all: number, shard: Record<string, number>) => all + shard[field], 0);
    expect(sum("bytes")).toBe(2 * 4 * (150_000 + 100 + 70_000) + 2 * 12);
    expect(sum("elements")).toBe(220_100 + 3);
    expect(plan.plan).toBe(jsonOf(join(folder, "0-of-3.json")).part.plan);
    const { stdout } = await run(["diff", ...pair, "--shard", "plan/3"]);
    expect(stdout).toMatch(/^shard +weights +bytes +seconds +from\n +0 /);
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});
