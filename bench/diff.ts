/**
 * `diff` compared with `cat` of the same files, in the page cache: two bf16 folders of four shards, in which a share of
 * the weights differs by one ulp; and its memory on a sparse folder of ten times the size.
 * Usage: npm run bench -- diff [gigabytes a folder] [percent changed ...]
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { encodeHeader } from "../src/source/safetensors/write.js";
import { gaussian } from "../test/support/values.js";
import { peakOf, secondsOf } from "./peak.js";

const shards = 4;
const tensorsOfShard = 8;
/** Elements written repeatedly: 64 MiB. */
const pieceLength = 2 ** 25;

export function diff(gigabytes = 4, ...percents: number[]): void {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  try {
    const elements = Math.floor((gigabytes * 1e9) / 2 / shards / tensorsOfShard);
    const [before, after] = [join(folder, "before"), join(folder, "after")];
    const weights = bf16Weights();
    writeFolder(before, elements, weights);
    process.stdout.write(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n`);
    for (const percent of percents.length > 0 ? percents : [1, 20]) {
      writeFolder(after, elements, moved(weights, percent / 100));
      compareRates(before, after, `2 x ${gigabytes} GB, ${percent} % changed`);
      rmSync(after, { recursive: true });
    }
    writeFolder(after, 10 * elements, null);
    const { peak, seconds } = peakOf(["diff", after, after, "--quiet"]);
    const size = 10 * gigabytes;
    process.stdout.write(`2 x ${size} GB, sparse: ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MiB\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The best of several alternating runs, to exclude other load on the machine. */
function compareRates(before: string, after: string, what: string): void {
  const files = [before, after].flatMap((path) => shardFiles(path));
  const bytes = Number(
    spawnSync("sh", ["-c", `cat ${files.join(" ")} | wc -c`], { encoding: "utf8" }).stdout,
  );
  const [cat, ours]: number[][] = [[], []];
  const command = ["diff", before, after, "--quiet"];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    spawnSync("sh", ["-c", `cat ${files.join(" ")} > /dev/null`]);
    cat.push((performance.now() - began) / 1000);
    ours.push(secondsOf(command));
  }
  const rate = (seconds: number[]) => bytes / Math.min(...seconds) / 1e9;
  process.stdout.write(
    `${what}: cat ${rate(cat).toFixed(1)} GB/s, diff ${rate(ours).toFixed(1)} GB/s ` +
      `(${((100 * rate(ours)) / rate(cat)).toFixed(0)} %), peak ${peakOf(command).peak.toFixed(0)} MiB\n`,
  );
}

function shardFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors"))
    .map((name) => join(folder, name));
}

/** Writes four shards and their index; without data the files are sparse. */
function writeFolder(folder: string, elements: number, piece: Uint16Array | null): void {
  mkdirSync(folder);
  const shardOf: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const name = `model-${shard}.safetensors`;
    const layout = Array.from({ length: tensorsOfShard }, (_, i) => ({
      name: `model.layers.${shard * tensorsOfShard + i}.mlp.up_proj.weight`,
      dtype: "BF16",
      shape: [elements],
      bytes: 2 * elements,
    }));
    for (const tensor of layout) shardOf[tensor.name] = name;
    const header = encodeHeader(layout);
    const bytes = tensorsOfShard * 2 * elements;
    const file = openSync(join(folder, name), "w");
    writeSync(file, header);
    for (let left = piece ? bytes : 0; piece && left > 0; left -= piece.byteLength) {
      writeSync(file, new Uint8Array(piece.buffer), 0, Math.min(left, piece.byteLength));
    }
    // Otherwise the measurement would include writing to disk.
    fsyncSync(file);
    closeSync(file);
    truncateSync(join(folder, name), header.length + bytes);
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: shardOf }));
}

/** Gaussian weights, to be written again and again. */
export function bf16Weights(): Uint16Array {
  const normal = gaussian(1);
  const words = new Uint32Array(Float32Array.from({ length: pieceLength }, () => 0.02 * normal()).buffer);
  return Uint16Array.from(words, (word) => word >>> 16);
}

/** Moves a random share of the weights to a neighbouring number. */
export function moved(weights: Uint16Array, share: number): Uint16Array {
  let state = 2;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return weights.map((code) => (uniform() < share ? code + (uniform() < 0.5 ? 1 : -1) : code));
}
