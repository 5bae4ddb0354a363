/**
 * `diff` of codes with scales and the bf16 checkpoint dequantized from them, of the codes and themselves, and of bf16
 * and itself: CPU seconds of all threads and wall time, without start-up, best of five. The start-up is that of files of a
 * megabyte.
 * Usage: npm run bench -- scaled [gigabytes of codes]
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { decodeTable } from "../src/index.js";
import { narrowToBf16 } from "../src/lens/narrow.js";
import { encodeSafetensors, type TensorToWrite } from "../src/source/safetensors/write.js";
import { seeded } from "../test/source/support.js";
import { peakOf, secondsOf } from "./peak.js";

/** Numbers of a row. */
const width = 8192;

interface Pair {
  readonly name: string;
  readonly coded: readonly TensorToWrite[];
  readonly bf16: readonly TensorToWrite[];
  readonly weights: number;
}

export function scaled(gigabytes = 0.5): void {
  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  try {
    process.stdout.write(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}\n`);
    const start = timesOf(folder, fp8(128), "coded", "coded");
    for (const pair of [fp8(rowsOf(gigabytes, 1)), mxfp4(rowsOf(gigabytes, 0.5))]) {
      for (const [before, after] of [
        ["coded", "bf16"],
        ["coded", "coded"],
        ["bf16", "bf16"],
      ] as const) {
        const { cpu, wall, peak } = timesOf(folder, pair, before, after);
        const seconds = cpu - start.cpu;
        const bytes = pair.coded.reduce((sum, { data }) => sum + data.byteLength, 0);
        process.stdout.write(
          `${pair.name}, ${before} against ${after}: ${(pair.weights / seconds / 1e9).toFixed(2)} billion weights, ` +
            `${(bytes / seconds / 1e9).toFixed(2)} GB of codes a CPU second, ` +
            `${(bytes / (wall - start.wall) / 1e9).toFixed(2)} GB a second by the clock, peak ${peak.toFixed(0)} MiB\n`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rowsOf(gigabytes: number, bytesPerCode: number): number {
  return 128 * Math.max(1, Math.floor((gigabytes * 1e9) / bytesPerCode / width / 128));
}

/** The time to compare two of the files: the least of five runs. */
function timesOf(folder: string, pair: Pair, before: "coded" | "bf16", after: "coded" | "bf16") {
  const path = (side: "coded" | "bf16") => {
    const file = join(folder, `${side}.safetensors`);
    const opened = openSync(file, "w");
    writeFileSync(opened, encodeSafetensors(pair[side]));
    // The kernel would write the file to the disk while the runs are timed, which halves the rate by the clock.
    fsyncSync(opened);
    closeSync(opened);
    return file;
  };
  const args = ["diff", path(before), path(after), "--sample", "1", "--quiet"];
  const runs = Array.from({ length: 5 }, () => ({ ...peakOf(args), wall: secondsOf(args) }));
  return {
    cpu: Math.min(...runs.map(({ cpu }) => cpu)),
    wall: Math.min(...runs.map(({ wall }) => wall)),
    peak: Math.max(...runs.map(({ peak }) => peak)),
  };
}

function fp8(rows: number): Pair {
  const below = seeded(1);
  const codes = new Uint8Array(rows * width).map(() => {
    const code = below(256);
    return (code & 127) === 127 ? 0 : code;
  });
  const across = width / 128;
  const scales = Float32Array.from({ length: (rows / 128) * across }, () => 1e-4 * (1 + below(1000) / 1000));
  const table = decodeTable("e4m3fn");
  const row = new Float32Array(width);
  const bf16 = new Uint16Array(codes.length);
  for (let r = 0; r < rows; r++) {
    const first = Math.floor(r / 128) * across;
    for (let i = 0; i < width; i++) row[i] = table[codes[r * width + i]] * scales[first + (i >> 7)];
    narrowToBf16(new Uint32Array(row.buffer), bf16.subarray(r * width, (r + 1) * width));
  }
  const name = "layers.0.up_proj.weight";
  return {
    name: "fp8-128x128",
    coded: [
      { name, dtype: "F8_E4M3", shape: [rows, width], data: codes },
      { name: `${name}_scale_inv`, dtype: "F32", shape: [rows / 128, across], data: scales },
    ],
    bf16: [{ name, dtype: "BF16", shape: [rows, width], data: bf16 }],
    weights: codes.length,
  };
}

function mxfp4(rows: number): Pair {
  const below = seeded(2);
  const bytes = new Uint8Array((rows * width) / 2).map(() => below(256));
  const exponents = new Uint8Array((rows * width) / 32).map(() => 115 + below(6));
  const table = decodeTable("e2m1fn");
  const bf16 = new Uint16Array(rows * width);
  const block = new Float32Array(32);
  for (const [b, exponent] of exponents.entries()) {
    for (let i = 0; i < 16; i++) {
      const byte = bytes[16 * b + i];
      block[2 * i] = table[byte & 15] * 2 ** (exponent - 127);
      block[2 * i + 1] = table[byte >> 4] * 2 ** (exponent - 127);
    }
    narrowToBf16(new Uint32Array(block.buffer), bf16.subarray(32 * b, 32 * b + 32));
  }
  const groups = width / 32;
  return {
    name: "mxfp4",
    coded: [
      { name: "layers.0.up_proj_blocks", dtype: "U8", shape: [rows, groups, 16], data: bytes },
      { name: "layers.0.up_proj_scales", dtype: "U8", shape: [rows, groups], data: exponents },
    ],
    bf16: [{ name: "layers.0.up_proj", dtype: "BF16", shape: [rows, width], data: bf16 }],
    weights: rows * width,
  };
}
