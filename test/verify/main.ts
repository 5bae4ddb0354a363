/** The long checks: npm run verify -- [NAME...] [--fraction 1/64] [--workers N]. Exit code 1 on any mismatch. */

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checks } from "./checks.js";
import { recordRow, rowOf } from "./document.js";
import { Pool } from "./pool.js";
import { progress } from "./progress.js";

const document = fileURLToPath(new URL("../../docs/verification.md", import.meta.url));

interface Plan {
  readonly chosen: typeof checks;
  readonly fraction: number;
  readonly workers: number;
}

/** @throws TypeError or RangeError with what is wrong with the command line. */
function planOf(args: string[]): Plan {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      fraction: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
    },
  });
  const unknown = positionals.find((name) => checks.every((check) => check.name !== name));
  if (unknown !== undefined) {
    const names = checks.map(({ name }) => name).join(", ");
    throw new RangeError(`unknown check "${unknown}": expected ${names}`);
  }
  const [, numerator = "", denominator = "1"] = /^(\d+)(?:\/(\d+))?$/.exec(values.fraction) ?? [];
  const fraction = Number(numerator) / Number(denominator);
  if (!(fraction > 0 && fraction <= 1)) {
    throw new RangeError(`--fraction: expected a fraction such as 1/64, found "${values.fraction}"`);
  }
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`--workers: expected a positive integer, found "${values.workers}"`);
  }
  const chosen = positionals.length === 0 ? checks : checks.filter(({ name }) => positionals.includes(name));
  return { chosen, fraction, workers };
}

/** Whether all was as it should be. */
async function verify({ chosen, fraction, workers }: Plan): Promise<boolean> {
  const pool = new Pool(workers);
  let right = true;
  try {
    for (const check of chosen) {
      const reason = await check.impossible?.();
      if (reason && chosen.length < checks.length) throw new RangeError(`${check.name}: ${reason}`);
      if (reason) {
        process.stderr.write(`${check.name}: left out, ${reason}\n`);
        continue;
      }
      const pieces = Math.max(Math.round(check.pieces * fraction), 1);
      const report = progress(check.name, pieces);
      const count = await pool.run(check, pieces, report.done);
      const seconds = report.end(count);
      right &&= count.mismatches === 0;
      if (pieces === check.pieces) recordRow(document, rowOf(check.name, count, seconds, workers));
    }
  } finally {
    await pool.close();
  }
  return right;
}

try {
  const plan = planOf(process.argv.slice(2));
  process.exitCode = (await verify(plan)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
