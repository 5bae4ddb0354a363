import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/**
 * Tells on stderr what a process took when it ends, in KiB and microseconds. Linux has its peak in VmHWM: maxRSS there
 * also has what its parent held when it was forked.
 */
const probe = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from "node:fs";
  process.on("exit", () => {
    const used = process.resourceUsage();
    const peak = process.platform === "linux"
      ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]
      : used.maxRSS;
    process.stderr.write("peak " + peak + " cpu " + (used.userCPUTime + used.systemCPUTime));
  });
`)}`;

/**
 * Runs the built command line: its peak resident memory in MiB, the seconds that it took, start included, and those of
 * all its threads together, which other work on the machine adds little to.
 */
export function peakOf(args: readonly string[]): { peak: number; seconds: number; cpu: number } {
  const { stderr, seconds } = timed(["--import", probe, main, ...args]);
  const found = /peak (\d+) cpu (\d+)/.exec(stderr);
  if (!found) throw new Error(`no peak in: ${stderr}`);
  return { peak: Number(found[1]) / 1024, seconds, cpu: Number(found[2]) / 1e6 };
}

/** The seconds that the built command line takes, start included. Without the probe, which takes time of its own. */
export function secondsOf(args: readonly string[]): number {
  return timed([main, ...args]).seconds;
}

function timed(args: readonly string[]): { stderr: string; seconds: number } {
  const began = performance.now();
  const { stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
  return { stderr, seconds };
}
