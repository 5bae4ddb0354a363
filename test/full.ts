/** The full tier: `npm run test:full`, or of some groups alone, `npm run test:full -- format webgpu`. */
import { spawnSync } from "node:child_process";
import { digestOf, fullGroups, groups, recordFull } from "./groups.js";

const named = process.argv.slice(2);
try {
  const full = fullGroups(named.length === 0 ? "all" : named.join(","));
  const failed: string[] = [];
  // One after the other, so that what passed is recorded whatever becomes of the others.
  for (const group of groups.filter(({ name }) => full.has(name))) {
    // Before the run: what changes meanwhile is not proved.
    const digest = digestOf(group);
    const { status } = spawnSync("vitest", ["run", "--project", group.name], {
      // Nothing that is left out may pass for proved.
      env: { ...process.env, CI: "true", TEST_FULL: group.name },
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    if (status === 0) recordFull(group.name, digest);
    else failed.push(group.name);
  }
  process.stdout.write(
    `\nfull tier: ${failed.length === 0 ? "all passed" : `failed: ${failed.join(", ")}`}\n`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
