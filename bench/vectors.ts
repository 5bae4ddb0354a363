/**
 * Rows per second written by `vectors`: every pair of bf16 under addition, piped into `head`, which discards several
 * million rows. By wall-clock time, and by the tool's CPU seconds including start-up.
 * Usage: npm run bench -- vectors [million rows] [rounds]
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

/** Bytes of a row in each form. */
const forms = { hex: 15, csv: 21, testfloat: 18 };

/** Rows to million a second, by the clock and by CPU seconds. */
function rates(form: string, rows: number, bytes: number): { clock: number; cpu: number } {
  const tool = `${process.execPath} dist/cli/main.js vectors --operation add --level exhaustive --as ${form}`;
  const began = performance.now();
  const { stdout } = spawnSync(
    "bash",
    ["-c", `TIMEFORMAT="%U %S"; { { time ${tool}; } 2>&3 | head -c ${rows * bytes} > /dev/null; } 3>&1`],
    { encoding: "utf8" },
  );
  const clock = (performance.now() - began) / 1000;
  const [user, system] = stdout.trim().split(" ").map(Number);
  return { clock: rows / 1e6 / clock, cpu: rows / 1e6 / (user + system) };
}

export function vectors(millions = 200, rounds = 3): void {
  process.stdout.write(
    `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n` +
      `vectors --operation add --level exhaustive, ${millions} million rows into a pipe; million rows a second, best of ${rounds}\n\n` +
      `form         clock   CPU seconds of the tool\n`,
  );
  for (const [form, bytes] of Object.entries(forms)) {
    const all = Array.from({ length: rounds }, () => rates(form, millions * 1e6, bytes));
    const best = (by: "clock" | "cpu") => Math.max(...all.map((each) => each[by])).toFixed(0);
    process.stdout.write(`${form.padEnd(10)} ${best("clock").padStart(7)}   ${best("cpu").padStart(7)}\n`);
  }
}
