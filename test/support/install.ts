/**
 * Installs packages that some suites need, through apt, as root on Debian. Elsewhere it does nothing, and the summary
 * of the tests lists the omitted suites.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fullGroups } from "../groups.js";
import { type Requirement, requirements } from "./requirements.js";

/** Before `npm run test:full` nothing tells which groups it will be of. */
const full = fullGroups(process.argv.includes("--full") ? "all" : process.env.TEST_FULL);

const missing = Object.values<Requirement>(requirements).filter(
  ({ fullTierOf, isMet, isComplete = isMet }) =>
    (fullTierOf === undefined || full.has(fullTierOf)) && !isComplete(),
);
const packages = [...new Set(missing.flatMap(({ debian }) => debian))];
const canInstall = process.getuid?.() === 0 && existsSync("/etc/debian_version");

if (packages.length > 0 && canInstall) {
  process.stderr.write(`Installing ${packages.join(", ")} for the tests\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args: readonly string[]) =>
    spawnSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
  apt("update");
  // One by one, so that a package missing in a derivative of Debian does not block the others.
  for (const name of packages) apt("install", "-y", "--no-install-recommends", name);
}
