/**
 * Encodes fp32 numbers, nearest-even, on one thread: encodeArray, a vectorized C loop, numpy, @petamoriken/float16, and
 * ml_dtypes and torch if installed. CPU seconds, best of all repeats, in one run. Usage: npm run bench -- arrays
 * [million numbers] [repeats]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { f16round } from "@petamoriken/float16";
import { type CodeArray, encodeArray } from "../../src/index.js";
import { python } from "../../test/support/requirements.js";
import { gaussian } from "../../test/support/values.js";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Timed {
  readonly seconds: number;
  /** The checksum of the codes, which must be equal for all. */
  readonly sum: number;
}

export function arrays(millions = 4, repeats = 7): void {
  const normal = gaussian(1);
  const x = Float32Array.from({ length: millions * 1e6 }, (_, i) => normal() * 10 ** ((i % 7) - 3));
  const times = new Map<string, Timed>();
  for (const format of ["bf16", "fp16", "e5m2", "e4m3fn"]) {
    // Like the others, write into existing memory.
    const codes = encodeArray(x, format);
    times.set(
      format,
      timed(repeats, () => encodeArray(x, format, {}, codes)),
    );
  }
  const rounded = new Float32Array(x.length);
  const byPeer = () => {
    for (let i = 0; i < x.length; i++) rounded[i] = f16round(x[i]);
    return rounded;
  };
  times.set(
    "fp16 @petamoriken/float16",
    timed(repeats, byPeer, (numbers) => encodeArray(numbers, "fp16")),
  );
  const input = new Uint8Array(x.buffer);
  for (const [name, timing] of [...inC(input, repeats), ...inPython(input, repeats)]) times.set(name, timing);
  for (const [name, { seconds, sum }] of times) {
    const [format, peer] = name.split(" ");
    const ours = times.get(format)!;
    const speed = `${(x.length / seconds / 1e6).toFixed(0).padStart(6)} million/s`;
    const ratio = peer === undefined ? "" : `  encodeArray ${(seconds / ours.seconds).toFixed(2)} x this`;
    const differs = sum === ours.sum ? "" : "  (other codes)";
    process.stdout.write(`${name.padEnd(28)}${speed}${ratio}${differs}\n`);
  }
}

function timed<T>(repeats: number, run: () => T, codesOf = (result: T) => result as CodeArray): Timed {
  let seconds = Infinity;
  let result = run();
  for (let i = 0; i < repeats; i++) {
    const began = process.cpuUsage();
    result = run();
    const { user, system } = process.cpuUsage(began);
    seconds = Math.min(seconds, (user + system) / 1e6);
  }
  let sum = 0;
  for (const code of codesOf(result)) sum += code;
  return { seconds, sum };
}

function inC(input: Uint8Array, repeats: number): [string, Timed][] {
  const folder = mkdtempSync(join(tmpdir(), "bench-arrays-"));
  try {
    const binary = join(folder, "encode");
    const flags = ["-O3", "-march=native", "-o", binary, here("encode.c")];
    if (spawnSync("cc", flags, { stdio: ["ignore", "inherit", "inherit"] }).status !== 0) return [];
    return read(binary, [String(repeats)], input).map(([name, timing]) => [`${name} C`, timing]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inPython(input: Uint8Array, repeats: number): [string, Timed][] {
  return read(python, [here("encode.py"), String(repeats)], input);
}

/** Parses lines of a name, seconds and a checksum. */
function read(program: string, args: readonly string[], input: Uint8Array): [string, Timed][] {
  const { stdout, status } = spawnSync(program, args, { input, encoding: "utf8" });
  if (status !== 0) return [];
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, name, seconds, sum] = /^(.*) (\S+) (\S+)$/.exec(line)!;
      return [name, { seconds: Number(seconds), sum: Number(sum) }];
    });
}
