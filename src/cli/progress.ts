import { Presets, SingleBar } from "cli-progress";
import type { Observer } from "../engine/engine.js";

/** Milliseconds of work after which progress is worth a line. */
const patience = 1000;

/** A progress bar on stderr: only on a terminal, and only for work that takes over a second. */
export function progressBar(quiet: boolean): Observer & { stop(): void } {
  if (quiet || !process.stderr.isTTY) return { stop: () => {} };
  const began = Date.now();
  const bar = new SingleBar(
    {
      format: "{bar} {percentage}% of {total} million updates, {eta_formatted} left",
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const stop = () => bar.stop();
  // An interrupted run must give the cursor back.
  process.once("exit", stop);
  const millions = (n: number) => Math.round(n / 1e5) / 10;
  return {
    progress(done, total) {
      if (!bar.isActive && Date.now() - began > patience && done < total)
        bar.start(millions(total), millions(done));
      if (bar.isActive) bar.update(millions(done));
    },
    stop,
  };
}
