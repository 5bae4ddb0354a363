import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/**
 * Writes the memory and CPU time of a process to stderr when it ends, in KiB and microseconds. On Linux the peak is
 * VmHWM, because maxRSS includes the memory of the parent at the time of the fork.
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
 * Runs the built command line; returns its peak resident memory in MiB, its seconds including start-up, and the CPU
 * seconds of all threads, which other load on the machine affects little.
 */
export function peakOf(args: readonly string[]): { peak: number; seconds: number; cpu: number } {
  const { stderr, seconds } = timed(["--import", probe, main, ...args]);
  const found = /peak (\d+) cpu (\d+)/.exec(stderr);
  if (!found) throw new Error(`no peak in: ${stderr}`);
  return { peak: Number(found[1]) / 1024, seconds, cpu: Number(found[2]) / 1e6 };
}

/** The seconds of the built command line including start-up, without the probe, which takes time itself. */
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
