/** The full tier: `npm run test:full`, or of some groups alone, `npm run test:full -- format gpu`. */
import { spawnSync } from "node:child_process";
import { digestOf, fullGroups, groups, recordFull } from "./groups.js";

const named = process.argv.slice(2);
try {
  const full = fullGroups(named.length === 0 ? "all" : named.join(","));
  const chosen = groups.filter(({ name }) => full.has(name));
  // Before the run: what changes meanwhile is not proved.
  const digests = new Map(chosen.map((group) => [group.name, digestOf(group)]));
  const { status } = spawnSync("vitest", ["run", ...chosen.flatMap(({ name }) => ["--project", name])], {
    // Nothing that is left out may pass for proved.
    env: { ...process.env, CI: "true", TEST_FULL: [...full].join(",") },
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status === 0) recordFull(digests);
  process.exitCode = status ?? 1;
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
