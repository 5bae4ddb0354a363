import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { visibleWidth } from "../../src/report/columns.js";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const esc = "\u001b";

describe("demo", () => {
  test("prints the table of the embedded run in at most 80 columns, without colours", async () => {
    const text = await output("demo");
    await expect(text).toMatchFileSnapshot("demo.txt");
    expect(text).not.toContain(esc);
    expect(Math.max(...text.split("\n").map(visibleWidth))).toBeLessThanOrEqual(80);
  });

  test("--json - gives the result and nothing else", async () => {
    const result = JSON.parse(await output("demo", "--json", "-"));
    expectValid("result", result);
    expect(result.cases).toHaveLength(5);
    expect(result.skipped).toEqual([]);
  });

  test("--quiet prints nothing", async () => {
    expect(await output("demo", "--quiet")).toBe("");
  });

  test.each([
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    [{ CI: "true" }, false],
  ])("with %o in the environment colours are %s", async (env, colours) => {
    const { status, stdout, stderr } = await run(["demo"], env as Record<string, string>);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.includes(esc)).toBe(colours);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    expect(stdout.replace(/\u001b\[\d+m/g, "")).toBe(await output("demo"));
  });

  test("--write gives the run to try things on, and replaces nothing", async () => {
    const path = join(folder, "own run");
    const text = await output("demo", "--write", path);
    expect(text).toContain(`precision-lens run '${path}'`);
    expect(readdirSync(path).sort()).toEqual([
      "base.safetensors",
      "final-fp32.safetensors",
      "updates.safetensors",
    ]);
    const cases = ["--scheme", "in-place", "--json", "-"];
    const { cases: written } = JSON.parse(await output("run", path, ...cases));
    const { cases: shown } = JSON.parse(await output("demo", "--json", "-"));
    expect(written[0].totals).toEqual(shown[0].totals);

    const base = join(path, "base.safetensors");
    writeFileSync(base, "mine");
    await expectRefusal(
      ["demo", "--write", path],
      path,
      "a folder without a recorded run",
      "base.safetensors",
    );
    expect(readFileSync(base, "utf8")).toBe("mine");
    await expectRefusal(["demo", "--write", base], base, "a folder", "a file");
  });

  test("is what the README shows", async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const [shown] = (await output("demo")).split("\n\npublished probes");
    expect(readme).toContain(`$ npm ci && npm run -s demo\n${shown}\n`);
  });
});
