/** The docstrings of what the library exports: every function says what it takes, gives and throws, and its examples run. */
import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { exportedFunctions } from "./library/exports.js";
import { put, temporaryFolder } from "./source/support.js";
import { recorded } from "./support/recorded.js";

const functions = exportedFunctions();
const folder = temporaryFolder();

test("functions of every room are seen", () => {
  const names = functions.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["round", "applyUpdate", "lens", "explain", "openRecording", "diff"]),
  );
  expect(names.length).toBeGreaterThan(35);
});

describe.each(functions)("$name", ({ parameters, tags }) => {
  test("says what each parameter is, and of no other", () => {
    const documented = (tags.get("param") ?? []).map((text) => text.split(/\s/)[0]);
    expect(documented).toEqual(parameters);
    for (const text of tags.get("param") ?? []) expect(text).toMatch(/^\w+ \S/);
  });

  test.each(["returns", "throws", "example"])("has @%s", (tag) => {
    expect(tags.get(tag)?.join("").trim()).toBeTruthy();
  });
});

/** An example as the body of a function: `expression; // value` is checked, other lines are carried out. */
function bodyOf(example: string): string {
  return example
    .split("\n")
    .map((line) => {
      const [, expression, value] = /^(.*); \/\/ (.*)$/.exec(line) ?? [];
      return expression === undefined ? line : `check(await (${expression}), ${JSON.stringify(value)});`;
    })
    .join("\n");
}

test("every example gives what it says, in the built library", async () => {
  const window = recorded("rlvr/early");
  for (const name of ["base", "updates", "gradients"]) {
    copyFileSync(join(window, `${name}.safetensors`), join(folder, `${name}.safetensors`));
  }
  copyFileSync(join(window, "../final-fp32.safetensors"), join(folder, "final-fp32.safetensors"));
  const examples = functions.flatMap(({ name, tags }) =>
    (tags.get("example") ?? []).map((text) => ({ name, text })),
  );
  const blocks = examples.map(
    ({ name, text }) => `await run(${JSON.stringify(name)}, async (check) => {\n${bodyOf(text)}\n});`,
  );
  const built = (path: string) => new URL(`../dist/${path}`, import.meta.url).href;
  const script = `
import { isDeepStrictEqual } from "node:util";
import * as node from ${JSON.stringify(built("node.js"))};
import * as testing from ${JSON.stringify(built("testing/index.js"))};
import * as arbitraries from ${JSON.stringify(built("testing/fast-check.js"))};
import fc from ${JSON.stringify(import.meta.resolve("fast-check"))};
const library = { ...node, ...testing, ...arbitraries };
const { ${functions.map(({ name }) => name).join(", ")}, recipes } = library;
const wrong = [];
let checked = 0;
async function run(name, body) {
  const before = checked;
  try {
    await body((found, said) => {
      checked += 1;
      const rounded = /^(.*)…$/.exec(said);
      const right = rounded ? String(found).startsWith(rounded[1]) : isDeepStrictEqual(found, (0, eval)("(" + said + ")"));
      if (!right) wrong.push(name + ": " + said + ", found " + JSON.stringify(found));
    });
    if (checked === before) wrong.push(name + ": nothing is said of what it gives");
  } catch (error) {
    wrong.push(name + ": " + error);
  }
}
${blocks.join("\n")}
process.stdout.write(JSON.stringify({ wrong, checked }));
`;
  const file = put(folder, "examples.mjs", script);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
  const { wrong, checked } = JSON.parse(stdout);
  expect(wrong).toEqual([]);
  expect(checked).toBeGreaterThanOrEqual(functions.length);
});
