/** Mutation tests of one folder of src after the other: `npm run mutation`, or `npm run mutation -- format`. */

import { spawnSync } from "node:child_process";

const named = process.argv.slice(2);
const folders = named.length > 0 ? named : ["format", "update", "lens"];

for (const folder of folders) {
  const env = { ...process.env, MUTATED: folder };
  const { status } = spawnSync("stryker", ["run"], {
    env,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exitCode = 1;
}
