/**
 * `diff --geometry --layers 0`, all measures that need no spectrum, beside plain `diff` of the same folders: bf16 in the shapes of
 * layers of Qwen2.5-7B. The tuned one is the base plus Gaussian noise, as strong as changes the given share of the weights. CPU
 * seconds of all threads and wall time, with the start of the command and without, which is that of the same matrices in small; the
 * best of five, in turns.
 * Usage: npm run bench -- geometry [gigabytes a folder] [percent changed ...]
 */
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { formatOf } from "../src/format/registry.js";
import { roundBy } from "../src/format/round.js";
import { encodeHeader } from "../src/source/safetensors/write.js";
import { gaussian } from "../test/support/values.js";
import { bf16Weights } from "./diff.js";
import { peakOf, secondsOf } from "./peak.js";

const [hidden, keys, wide] = [3584, 512, 18944];
const shapes: Readonly<Record<string, readonly [number, number]>> = {
  "self_attn.q_proj": [hidden, hidden],
  "self_attn.k_proj": [keys, hidden],
  "self_attn.v_proj": [keys, hidden],
  "self_attn.o_proj": [hidden, hidden],
  "mlp.gate_proj": [wide, hidden],
  "mlp.up_proj": [wide, hidden],
  "mlp.down_proj": [hidden, wide],
};
const layerBytes = Object.values(shapes).reduce((sum, [rows, columns]) => sum + 2 * rows * columns, 0);
const bf16 = formatOf("bf16");
/** The side of a matrix in small. */
const small = 64;

interface Times {
  readonly cpu: number;
  readonly wall: number;
  readonly peak: number;
}

export function geometry(gigabytes = 1, ...percents: number[]): void {
  const layers = Math.max(1, Math.round((gigabytes * 1e9) / layerBytes));
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  try {
    process.stdout.write(
      `${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}, 2 x ${((layers * layerBytes) / 1e9).toFixed(2)} GB\n`,
    );
    const weights = bf16Weights();
    const write = (name: string, piece: Uint16Array, side: number | null) =>
      writeLayers(join(folder, name), layers, side, piece);
    write("base", weights, null);
    write("small-base", weights, small);
    for (const percent of percents.length > 0 ? percents : [1, 10, 25]) {
      const after = withNoise(weights, percent / 100);
      write("tuned", after, null);
      write("small-tuned", after, small);
      const [start, whole] = ["small-", ""].map((prefix) =>
        inTurns(join(folder, `${prefix}base`), join(folder, `${prefix}tuned`)),
      );
      for (const unit of ["cpu", "wall"] as const) tell(percent, unit, whole, start);
      process.stdout.write(
        `${percent} % changed: peak ${whole.plain.peak.toFixed(0)} and ${whole.measured.peak.toFixed(0)} MiB\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Both {
  readonly plain: Times;
  readonly measured: Times;
}

/** The rate of the measures is that of what they take besides `diff`; of the command, of all that it takes. */
function tell(percent: number, unit: "cpu" | "wall", whole: Both, start: Both): void {
  const seconds = ({ plain, measured }: Both) => ({ diff: plain[unit], all: measured[unit] });
  const [ends, starts] = [seconds(whole), seconds(start)];
  const diff = ends.diff - starts.diff;
  const all = ends.all - starts.all;
  const share = (of: number, by: number) => `${((100 * of) / by).toFixed(0)} %`;
  process.stdout.write(
    `${percent} % changed, ${unit === "cpu" ? "CPU seconds" : "seconds by the clock"}: ` +
      `diff ${ends.diff.toFixed(2)}, with geometry ${ends.all.toFixed(2)} (start ${starts.diff.toFixed(2)} and ${starts.all.toFixed(2)}); ` +
      `the measures at ${share(ends.diff, ends.all - ends.diff)} of diff's rate, without start ${share(diff, all - diff)}; ` +
      `the whole command at ${share(ends.diff, ends.all)}, without start ${share(diff, all)}\n`,
  );
}

function inTurns(before: string, after: string): Both {
  const runs: Record<keyof Both, Times[]> = { plain: [], measured: [] };
  const common = ["diff", before, after, "--sample", "1", "--quiet"];
  const commands = { plain: common, measured: [...common, "--geometry", "--layers", "0"] };
  for (let turn = 0; turn < 5; turn++) {
    for (const which of ["plain", "measured"] as const) {
      const { cpu, peak } = peakOf(commands[which]);
      runs[which].push({ cpu, peak, wall: secondsOf(commands[which]) });
    }
  }
  const best = (times: readonly Times[]): Times => ({
    cpu: Math.min(...times.map(({ cpu }) => cpu)),
    wall: Math.min(...times.map(({ wall }) => wall)),
    peak: Math.max(...times.map(({ peak }) => peak)),
  });
  return { plain: best(runs.plain), measured: best(runs.measured) };
}

/** Adds Gaussian noise as strong as changes a share of the weights. */
function withNoise(weights: Uint16Array, share: number): Uint16Array {
  const numbers = new Float32Array(Uint32Array.from(weights, (code) => code << 16).buffer);
  const normal = gaussian(2);
  const noise = Float32Array.from(weights, () => normal());
  const tuned = (sd: number, weights = numbers) =>
    weights.map((w, i) => roundBy(Math.fround(w + sd * noise[i]), bf16));
  const some = numbers.subarray(0, 2 ** 20);
  let [low, high] = [-40, 0];
  for (let round = 0; round < 12; round++) {
    const middle = (low + high) / 2;
    const changed = tuned(2 ** middle, some).reduce((sum, w, i) => sum + (w === some[i] ? 0 : 1), 0);
    if (changed < share * some.length) low = middle;
    else high = middle;
  }
  return Uint16Array.from(new Uint32Array(tuned(2 ** low).buffer), (word) => word >>> 16);
}

/** @param side of every matrix; null: its own. */
function writeLayers(folder: string, layers: number, side: number | null, piece: Uint16Array): void {
  mkdirSync(folder, { recursive: true });
  const layout = Array.from({ length: layers }, (_, layer) =>
    Object.entries(shapes).map(([name, shape]) => {
      const [rows, columns] = side === null ? shape : [side, side];
      return {
        name: `model.layers.${layer}.${name}.weight`,
        dtype: "BF16",
        shape: [rows, columns],
        bytes: 2 * rows * columns,
      };
    }),
  ).flat();
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, encodeHeader(layout));
  const bytes = new Uint8Array(piece.buffer);
  for (let left = layout.reduce((sum, tensor) => sum + tensor.bytes, 0); left > 0; left -= bytes.length) {
    writeSync(file, bytes, 0, Math.min(left, bytes.length));
  }
  // Otherwise the kernel writes it to the disk while the runs are timed.
  fsyncSync(file);
  closeSync(file);
}
