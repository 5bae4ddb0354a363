/**
 * Mutation tests of src, part after part, and the table of docs/mutation.md: `npm run mutation`, or of some parts:
 * `npm run mutation -- format/block "update/*.ts"`. `npm run mutation -- table` prints the table of what was run.
 */

import { spawnSync } from "node:child_process";
import { survivors, table } from "./table.js";

/** Small enough that a part ends within a quarter of an hour: Stryker writes its results at the end. */
const parts = [
  "format/*.ts",
  "format/block",
  "update/*.ts",
  "update/recipe",
  "lens/*.ts",
  "lens/run",
  "lens/shard",
  "lens/difference",
  "lens/study",
  "lens/explain",
  "lens/{inspect,learning}",
];

const named = process.argv.slice(2);
const wanted = named.length > 0 ? named.filter((name) => name !== "table") : parts;

for (const part of wanted) {
  const { status } = spawnSync("stryker", ["run"], {
    env: { ...process.env, MUTATED: part },
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exitCode = 1;
}
process.stdout.write(`${table()}\n${survivors()}`);
