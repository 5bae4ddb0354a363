/**
 * A sweep of 5 formats, 4 schemes and 20 learning rates against the 400 runs of `simulate` that would tell the same, all by
 * the built command line. Of the single runs a seeded sample is timed and multiplied.
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
  // Half of the single runs before the sweep and half after it, so that a machine that has other work too slows both.
  const sample = sampleOf(singles);
  const before = sample.slice(0, sample.length / 2).map((one) => secondsOf(one, common));
  const grid = ["--format", formats.join(), "--scheme", schemeNames.join(), "--lr", rates.text];
  const whole = peakOf(["sweep", ...grid, ...common]);
  const after = sample.slice(sample.length / 2).map((one) => secondsOf(one, common));
  const seconds = [...before, ...after];
  const mean = seconds.reduce((sum, of) => sum + of, 0) / seconds.length;
  const spread = Math.sqrt(
    seconds.reduce((sum, of) => sum + (of - mean) ** 2, 0) / (seconds.length - 1) / seconds.length,
  );
  process.stdout.write(
    `one sweep: ${whole.seconds.toFixed(1)} s, peak ${whole.peak.toFixed(0)} MiB\n` +
      `${cells} runs of simulate: ${(cells * mean).toFixed(0)} s, from ${seconds.length} of them, ` +
      `${mean.toFixed(2)} s each (standard error ${spread.toFixed(2)})\n` +
      `the sweep takes ${((100 * whole.seconds) / (cells * mean)).toFixed(1)} % of that: ` +
      `1 in ${((cells * mean) / whole.seconds).toFixed(1)}\n`,
  );
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

function secondsOf({ format, scheme, lr }: Single, common: readonly string[]): number {
  const one = ["--format", format, "--scheme", scheme, "--lr", lr.toPrecision(3)];
  return peakOf(["simulate", ...one, ...common]).seconds;
}
