import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, output, run } from "../support/cli.js";

const folder = temporaryFolder();
const vectors = join(folder, "exponents.json");
writeFileSync(vectors, await output("vectors", "--format", "e2m1fn", "--from", "e2m1fn", "--as", "json"));

/** Commands whose answer is one text, or the same as JSON. */
const commands = [
  ["doctor"],
  ["explain", "1", "1", "--format", "e4m3"],
  ["recipes", "muon"],
  ["check", "src/example", "--scheme", "master"],
  ["vectors", "--verify", vectors],
];

describe.each(commands)("%s", (...command) => {
  test("--json FILE writes the JSON beside the text, - in its place", async () => {
    const saved = join(folder, `${command[0]}.json`);
    const text = (await run(command)).stdout;
    expect(text).not.toMatch(/^(\{|$)/);
    expect(await run([...command, "--json", saved])).toMatchObject({ status: 0, stdout: text });
    const { schema } = JSON.parse(readFileSync(saved, "utf8"));
    expect(schema).toMatch(/^precision-lens-/);
    expect(JSON.parse((await run([...command, "--json", "-"])).stdout).schema).toBe(schema);
  });

  test("--quiet prints nothing but the JSON", async () => {
    expect(await run([...command, "--quiet"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await run([...command, "--quiet", "--json", "-"]);
    expect([JSON.parse(stdout).schema, stderr]).toEqual([expect.stringMatching(/^precision-lens-/), ""]);
  });

  test("a file that cannot be written is refused", async () => {
    const none = join(folder, "none");
    const path = join(none, "x.json");
    await expectRefusal(
      [...command, "--quiet", "--json", path],
      path,
      `its folder ${none} to exist`,
      "no such folder",
    );
  });
});

test("--quiet is an option of every command", async () => {
  const help = await output("--help");
  const names = [...help.matchAll(/^ {2}([a-z]+)/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== "help");
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(await output(name, "--help"), name).toContain("--quiet");
});

test("what vectors are verified is not replaced by the verdict", async () => {
  const expected = "another file than the inputs";
  await expectRefusal(
    ["vectors", "--verify", vectors, "--json", vectors],
    vectors,
    expected,
    `the input "${vectors}"`,
  );
});
