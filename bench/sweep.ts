/**
 * A sweep of 5 formats, 4 schemes and 20 learning rates compared with 400 sweeps of one format, scheme and rate each,
 * all by the built command line. A seeded sample of these is timed and extrapolated. (`simulate` would not be a fair
 * comparison, because it also computes curves and first changes.)
 * Usage: npm run bench -- sweep [million weights] [steps] [single runs]
 */
import { cpus } from "node:os";
import { schemeNames } from "../src/update/scheme.js";
import { randomBits, tensorKey } from "../src/update/threefry.js";
import { peakOf } from "./peak.js";

const formats = ["bf16", "fp16", "tf32", "e4m3fn", "e5m2"];
const rates = { text: "1e-7:1e-3:20", count: 20 };

export function sweep(millions = 10, steps = 20, singles = 8): void {
  const elements = Math.round(millions * 1e6);
  const common = ["--elements", String(elements), "--steps", String(steps), "--quiet"];
  const cells = formats.length * schemeNames.length * rates.count;
  process.stdout.write(
    `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n` +
      `${elements.toLocaleString("en")} weights, ${steps} steps; ${formats.join(", ")}; ${schemeNames.join(", ")}; ` +
      `${rates.count} learning rates\n`,
  );
  // Half of the single runs before the sweep and half after it, so that other load on the machine slows both.
  const sample = sampleOf(singles);
  const half = Math.ceil(sample.length / 2);
  const before = sample.slice(0, half).map((one) => timed(one, common));
  const grid = ["--format", formats.join(), "--scheme", schemeNames.join(), "--lr", rates.text];
  const whole = peakOf(["sweep", ...grid, ...common]);
  const all = [...before, ...sample.slice(half).map((one) => timed(one, common))];
  process.stdout.write(
    `peak ${whole.peak.toFixed(0)} MiB; ${cells} single runs from ${all.length} of them\n`,
  );
  for (const [what, field] of [
    ["seconds", "seconds"],
    ["seconds of all threads together", "cpu"],
  ] as const) {
    const mean = all.reduce((sum, one) => sum + one[field], 0) / all.length;
    const square = all.reduce((sum, one) => sum + (one[field] - mean) ** 2, 0) / (all.length - 1);
    process.stdout.write(
      `${what}: one sweep ${whole[field].toFixed(1)}, single runs ${(cells * mean).toFixed(0)} (each ${mean.toFixed(2)}, ` +
        `standard error ${Math.sqrt(square / all.length).toFixed(2)}), 1 in ${((cells * mean) / whole[field]).toFixed(1)}\n`,
    );
  }
}

interface Single {
  readonly format: string;
  readonly scheme: string;
  readonly lr: number;
}

/** Schemes and formats take turns, so that a small sample has all of them; rates are drawn. */
function sampleOf(count: number): Single[] {
  const key = tensorKey(6, "single runs");
  return Array.from({ length: count }, (_, i) => ({
    format: formats[i % formats.length],
    scheme: schemeNames[i % schemeNames.length],
    lr: 1e-7 * 1e4 ** ((randomBits(key, i, 0) % rates.count) / (rates.count - 1)),
  }));
}

function timed({ format, scheme, lr }: Single, common: readonly string[]): { seconds: number; cpu: number } {
  return peakOf(["sweep", "--format", format, "--scheme", scheme, "--lr", lr.toPrecision(3), ...common]);
}
