import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../source/support.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { runPython } from "./support.js";

const folder = temporaryFolder();

/** `Class.test_name` of every test in the Python file. */
const names = readFileSync(new URL("recorder_test.py", import.meta.url), "utf8")
  .split(/^class /m)
  .slice(1)
  .flatMap((text) =>
    [...text.matchAll(/^ {4}def (test_\w+)/gm)].map(([, name]) => `${/^\w+/.exec(text)![0]}.${name}`),
  );

describeNeeding(requirements.torch, "the recorder in Python", () => {
  let told: Record<string, string | null>;
  beforeAll(async () => {
    told = JSON.parse(await runPython("recorder_test.py", [folder]));
  }, 300_000);

  test("every test ran", () => expect(Object.keys(told).sort()).toEqual([...names].sort()));

  test.each(names)("%s", (name) => expect(told[name]).toBeNull());
});
