import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** Tells the peak on stderr when the process ends; maxRSS is in KiB on every platform (libuv). */
const probe = `data:text/javascript,process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS))`;

/** Runs the built command line: its peak resident memory in MiB and the seconds that it took, start included. */
export function peakOf(args: readonly string[]): { peak: number; seconds: number } {
  const began = performance.now();
  const { stderr, status } = spawnSync(process.execPath, ["--import", probe, main, ...args], {
    encoding: "utf8",
  });
  const seconds = (performance.now() - began) / 1000;
  const peak = /peak (\d+)/.exec(stderr);
  if (status !== 0 || !peak) throw new Error(`exit ${status}: ${stderr}`);
  return { peak: Number(peak[1]) / 1024, seconds };
}
