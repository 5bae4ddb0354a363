/**
 * Peak resident memory of `run` on a synthetic recorded run of 2 GB: 40 tensors of bf16 weights and two steps of fp32
 * updates that move a fifth of the weights, so that all parts of the kernels run. Usage: npm run bench -- memory
 * [gigabytes]
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { Case } from "../src/lens/run/case.js";
import { gaussian } from "../test/support/values.js";
import { peakOf } from "./peak.js";

const tensors = 40;
const steps = 2;

/** Writes one safetensors file whose tensors repeat the same piece. */
function writeTensors(
  path: string,
  names: readonly string[],
  dtype: string,
  elements: number,
  piece: Uint8Array,
) {
  const bytes = elements * (dtype === "BF16" ? 2 : 4);
  const entries = names.map((name, i) => [
    name,
    { dtype, shape: [elements], data_offsets: [i * bytes, (i + 1) * bytes] },
  ]);
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(path, "w");
  writeSync(file, length);
  writeSync(file, json);
  for (let left = names.length * bytes; left > 0; left -= piece.length) {
    writeSync(file, piece, 0, Math.min(left, piece.length));
  }
  closeSync(file);
}

export function memory(gigabytes = 2): void {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  try {
    const elements = Math.floor((gigabytes * 1e9) / (tensors * (2 + 4 * steps)));
    const normal = gaussian(1);
    const drawn = (sigma: number) => Float32Array.from({ length: 2 ** 20 }, () => sigma * normal());
    const [weights, updates] = [
      Uint16Array.from(new Uint32Array(drawn(0.02).buffer), (bits) => bits >>> 16),
      drawn(2e-5),
    ];
    const names = Array.from({ length: tensors }, (_, i) => `layers.${i}.weight`);
    writeTensors(join(folder, "base.safetensors"), names, "BF16", elements, new Uint8Array(weights.buffer));
    const stepped = Array.from({ length: steps }, (_, step) =>
      names.map((name) => `step${step}/${name}`),
    ).flat();
    writeTensors(
      join(folder, "updates.safetensors"),
      stepped,
      "F32",
      elements,
      new Uint8Array(updates.buffer),
    );

    const json = join(folder, "result.json");
    const { peak, seconds } = peakOf(["run", folder, "--scheme", "in-place", "--quiet", "--json", json]);
    const { totals }: Case = JSON.parse(readFileSync(json, "utf8")).cases[0];
    const moved = totals.moved / (totals.elements * totals.steps);
    if (moved < 0.1) throw new Error(`${moved} of the updates move their weight: expected a tenth or more`);
    const { peak: idle } = peakOf(["--version"]);
    const rate = (elements * tensors * steps) / seconds / 1e6;
    process.stdout.write(
      `${gigabytes} GB, ${elements * tensors} weights, ${steps} steps, in place, engine auto\n` +
        `${(100 * moved).toFixed(1)}% of the updates move their weight\n` +
        `peak resident memory ${peak.toFixed(0)} MiB (Node alone ${idle.toFixed(0)} MiB)\n` +
        `${seconds.toFixed(1)} s, ${rate.toFixed(1)} million updates a second\n` +
        `${cpus()[0].model}, Node ${process.versions.node}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
