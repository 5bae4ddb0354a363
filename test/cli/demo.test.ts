import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { visibleWidth } from "../../src/report/columns.js";
import { output, run } from "../support/cli.js";
import { expectValid } from "../support/schemas.js";

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

  test("is what the README shows", async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const [shown] = (await output("demo")).split("\n\npublished probes");
    expect(readme).toContain(`$ npm ci && npm run -s demo\n${shown}\n`);
  });
});
