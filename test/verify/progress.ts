import type { Count } from "./count.js";

/** Seconds between lines where stderr is no terminal. */
const LOG_INTERVAL = 60;

/** Tells on stderr how far a check has come: one line that is written over, or a line a minute in a file. */
export function progress(name: string, pieces: number) {
  const { stderr } = process;
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  let told = 0;

  return {
    done(done: number): void {
      const now = seconds();
      if (now - told < (stderr.isTTY ? 0.2 : LOG_INTERVAL)) return;
      told = now;
      const left = Math.round((now / done) * (pieces - done));
      const line = `${name}: ${((100 * done) / pieces).toFixed(1)} %, ${left} s left`;
      stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    },

    /** Closes the check and gives how many seconds it took. */
    end({ cases, mismatches, first }: Count): number {
      if (stderr.isTTY) stderr.write("\r\x1b[K");
      stderr.write(
        `${name}: ${cases.toLocaleString("en")} cases, ${mismatches.toLocaleString("en")} mismatches, ` +
          `${seconds().toFixed(1)} s${mismatches > 0 ? `\n  first: ${first}` : ""}\n`,
      );
      return seconds();
    },
  };
}
