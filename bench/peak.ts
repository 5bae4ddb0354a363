import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** Tells on stderr what a process took when it ends; maxRSS is in KiB on every platform (libuv), times in microseconds. */
const probe = `data:text/javascript,process.on("exit",()=>{const of=process.resourceUsage();process.stderr.write("peak "+of.maxRSS+" cpu "+(of.userCPUTime+of.systemCPUTime))})`;

/**
 * Runs the built command line: its peak resident memory in MiB, the seconds that it took, start included, and those of
 * all its threads together, which other work on the machine adds little to.
 */
export function peakOf(args: readonly string[]): { peak: number; seconds: number; cpu: number } {
  const began = performance.now();
  const { stderr, status } = spawnSync(process.execPath, ["--import", probe, main, ...args], {
    encoding: "utf8",
  });
  const seconds = (performance.now() - began) / 1000;
  const found = /peak (\d+) cpu (\d+)/.exec(stderr);
  if (status !== 0 || !found) throw new Error(`exit ${status}: ${stderr}`);
  return { peak: Number(found[1]) / 1024, seconds, cpu: Number(found[2]) / 1e6 };
}
