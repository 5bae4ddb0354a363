import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { renderCsv } from "../../src/report/csv.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";
import { recorded, writeExcerpt } from "../support/recorded.js";
import { renderMarkdown } from "../support/rendered.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const window = recorded("sft/early");
const grid = ["--scheme", "in-place,kahan", "--rounding", "nearest-even,stochastic"];

/** Counts a run with the grid, saves the result, and gives its path. */
async function saved(name: string, input: string): Promise<string> {
  const path = join(folder, name);
  await output("run", input, ...grid, "--quiet", "--json", path);
  return path;
}

/** A shard of the recorded run: the tensors that `mine` picks by their number. */
async function shard(name: string, mine: (index: number) => boolean): Promise<string> {
  return saved(`${name}.json`, await writeExcerpt(join(folder, name), "sft/early", mine));
}

const whole = await saved("whole.json", window);
const read = async (...args: string[]): Promise<Result> =>
  JSON.parse(await output("report", ...args, "--json", "-"));

describe("report", () => {
  test("renders a saved result as run did", async () => {
    const result = await read(whole);
    expect(await output("report", whole)).toBe(await output("run", window, ...grid));
    expect(await output("report", whole, "--csv", "-")).toBe(renderCsv(result));
    expect(await output("report", whole, "--markdown", "-")).toBe(renderMarkdown(result));
    expect(await output("report", whole, "--json", "-")).toBe(readFileSync(whole, "utf8"));
  });

  test("shards add up to the unsplit run, number for number", async () => {
    const unsplit = await read(whole);
    const halves = [await shard("first", (i) => i < 12), await shard("second", (i) => i >= 12)];
    const merged = await read(...halves);
    expectValid("result", merged);
    expect(merged.cases).toEqual(unsplit.cases);
    for (const field of ["tensors", "elements", "stepNumbers"] as const) {
      expect(merged.input[field]).toEqual(unsplit.input[field]);
    }
  });

  test("in any order, of any number", async () => {
    const unsplit = await read(whole);
    const thirds = await Promise.all([2, 0, 1].map((n) => shard(`third ${n}`, (i) => i % 3 === n)));
    const merged = await read(...thirds);
    const numbers = ({ cases }: Result) => cases.map(({ tensors, ...counts }) => counts);
    expect(numbers(merged)).toEqual(numbers(unsplit));
    const byName = (i: number, { cases }: Result) =>
      Object.fromEntries(cases[i].tensors.map((tensor) => [tensor.name, tensor]));
    for (const i of unsplit.cases.keys()) expect(byName(i, merged)).toEqual(byName(i, unsplit));
    expect(await output("report", ...thirds)).toBe(await output("report", whole));
  });
});

describe("what is no result is refused in one sentence", () => {
  const schema = "a result of schema precision-lens/2";

  test.each<[string, string, string, string]>([
    ["not JSON", "weights: 1", "a saved result", "no valid JSON"],
    ["an empty file", "", "a saved result", "no valid JSON"],
    ["null", "null", schema, "JSON that is null, not an object"],
    ["a list", "[1]", schema, "JSON that is a list, not an object"],
    ["another object", "{}", schema, 'JSON without "schema"'],
  ])("%s", async (name, text, expected, found) => {
    const path = put(folder, `${name}.json`, text);
    await expectRefusal(["report", path], path, expected, found);
  });

  /** The saved result with some values changed; without them where they are undefined. */
  async function changed(
    name: string,
    ...changes: [path: (string | number)[], value: unknown][]
  ): Promise<string> {
    const result = await read(whole);
    for (const [path, value] of changes) {
      const parent = path
        .slice(0, -1)
        .reduce((object: object, key) => object[key as keyof typeof object], result);
      Object.assign(parent, { [path.at(-1)!]: value });
    }
    return put(folder, name, JSON.stringify(result));
  }

  test("a result of another schema", async () => {
    const path = await changed("another.json", [["schema"], "precision-lens/2\u001b[2J"]);
    await expectRefusal(["report", path], path, schema, 'schema "precision-lens/2\\u001b[2J"');
  });

  test("counts that do not add up", async () => {
    const { lost, elements, steps } = (await read(whole)).cases[1].totals;
    const path = await changed("lost-a-bit.json", [["cases", 1, "totals", "lost"], lost ^ 1]);
    const sum = elements * steps + ((lost ^ 1) - lost);
    const found = `/cases/1/totals, whose classes are ${sum} weight-steps, not ${elements} x ${steps}`;
    await expectRefusal(["report", path], path, "counts that add up", found);
  });

  test("shards of one run, which merge adds up", async () => {
    const shards = await Promise.all(
      [0, 1].map(async (i) => {
        const path = join(folder, `shard-${i}.json`);
        await output("run", window, "--scheme", "master", "--shard", `${i}/2`, "--quiet", "--json", path);
        return path;
      }),
    );
    const found = "those of shards: `precision-lens merge` adds them up";
    await expectRefusal(["report", ...shards], shards.join(", "), "results over different tensors", found);
  });

  test("one that was cut off", async () => {
    const path = put(folder, "cut.json", (await output("report", whole, "--json", "-")).slice(0, -100));
    await expectRefusal(["report", path], path, "a saved result", "no valid JSON");
  });

  test("one that breaks the schema", async () => {
    const path = await changed("broken.json", [["cases", 0, "totals", "kept"], undefined]);
    const found = 'no "kept" in "/cases/0/totals"';
    await expectRefusal(["report", path], path, schema, found);
    const hostile = await changed("hostile.json", [["input", "metadata", "\u001b[2J"], 1]);
    await expectRefusal(
      ["report", hostile],
      hostile,
      schema,
      '"/input/metadata/\\u001b[2J" that is 1, not a text',
    );
  });

  test("none at all", async () => {
    const nothing = join(folder, "nothing.json");
    await expectRefusal(["report", nothing], nothing, "a saved result", "nothing there");
    await expectRefusal(["report", folder], folder, "a saved result", "a folder");
  });

  test("results that do not add up", async () => {
    const others = join(folder, "others.json");
    await output("run", window, "--quiet", "--json", others);
    const unlike = "that the results are not of the same input kind, steps, settings and cases";
    await expectRefusal(["report", whole, others], `${whole}, ${others}`, "results that add up", unlike);
    const { name } = (await read(whole)).cases[0].tensors[0];
    const twice = `that tensor "${name}" is in two of the results`;
    await expectRefusal(["report", whole, whole], `${whole}, ${whole}`, "results that add up", twice);
  });

  test("names in a result never reach the terminal as control sequences", async () => {
    const path = await changed(
      "control.json",
      [["cases", 0, "format"], "bf16\u001b[2J"],
      [["cases", 0, "tensors", 0, "name"], "w\u001b[2J"],
      [["skipped", 0], { name: "s\u001b[2J", reason: "r\u001b[2J" }],
    );
    for (const options of [[], ["--markdown", "-"]]) {
      const ran = await run(["report", path, ...options]);
      expect(ran.status).toBe(0);
      expect(ran.stdout).toContain("u001b");
      expect(ran.stdout + ran.stderr).not.toContain("\u001b");
    }
    const merged = await run(["report", path, path]);
    expect(merged.status).toBe(2);
    expect(merged.stderr).not.toContain("\u001b");
  });
});
