/**
 * The full count on numbers in memory: elements per second of engines, of C loops, of a stream read of the same bytes,
 * and of numpy and torch if installed. Usage: npm run bench -- engines [million elements] [repeats] [size of updates]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { format } from "../../src/format/registry.js";
import { roundings } from "../../src/format/round.js";
import type { Values } from "../../src/lens/input.js";
import { schemeNames } from "../../src/update/scheme.js";
import { type UpdateOptions, updateSettings } from "../../src/update/settings.js";
import { python as debianPython } from "../../test/support/requirements.js";
import { gaussian } from "../../test/support/values.js";
import { classesAlone } from "./classes-kernel.js";
import { inTurns, median, own, program, timesFaster } from "./turns.js";

const piece = 2 ** 20;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Gaussian weights of sigma 0.02, and updates of this sigma: at 1e-6 about 1 % of the weights move, at 1e-5 12 %. */
const pieceOfRun = (size: number) => {
  const normal = gaussian(1);
  const weights = Float32Array.from({ length: piece }, () => 0.02 * normal());
  const codes = Uint16Array.from(new Uint32Array(weights.buffer), (bits) => bits >>> 16);
  return { codes, updates: Float32Array.from({ length: piece }, () => size * normal()) };
};

/** The widest vectors of the machine, and those of WebAssembly: 128 bits, in x86's encoding of three operands, as V8 writes them. */
const cLoops = [
  { name: "C", options: ["-march=native"] },
  ...(process.arch === "x64"
    ? [{ name: "C 128-bit", options: ["-march=x86-64-v3", "-mprefer-vector-width=128"] }]
    : []),
];
// Allows vectorized comparisons, which could otherwise trap more often than the scalar loop.
const cOptions = ["-O3", "-fno-trapping-math", "-fno-math-errno"];
const cLibraries = ["-lpthread", "-lm"];

/** The C program, compiled into a folder; null where that fails. */
function compile(options: readonly string[], folder: string): string | null {
  const path = join(folder, `question${options.join("")}`);
  const args = [...options, ...cOptions, "-o", path, here("question.c"), ...cLibraries];
  return spawnSync("cc", args).status === 0 ? path : null;
}

/** Everything on one thread, in turns with the C loops: CPU seconds, which other work on the machine changes least. */
async function printTurns(
  elements: number,
  turns: number,
  file: string,
  folder: string,
  run: () => Promise<unknown>,
): Promise<void> {
  const players = cLoops.flatMap(({ name, options }) => {
    const path = compile(options, folder);
    return path ? [program(name, path, [String(elements), "1", "1", file, "turns"])] : [];
  });
  process.stdout.write(
    `\neverything on one thread, ${turns} turns: millions a CPU second, median and best\n`,
  );
  const all = await inTurns([...players, own("wasm", run)], turns);
  const ofWasm = all[all.length - 1];
  for (const one of all) {
    const [middle, best] = [median(one.seconds), Math.min(...one.seconds)].map((seconds) =>
      (elements / seconds / 1e6).toFixed(0),
    );
    const ratio = timesFaster(ofWasm, one).toFixed(2);
    process.stdout.write(
      `${one.name.padEnd(48)} ${middle.padStart(6)} ${best.padStart(6)}   wasm / this ${ratio}\n`,
    );
  }
}

interface Timed {
  readonly seconds: number;
  readonly moved: number;
}

/** The JSON printed by a program; empty if it cannot be run. */
function asked(program: string, args: readonly string[]): Record<string, Timed> {
  const { stdout, status } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? JSON.parse(stdout) : {};
}

async function timed(engine: Engine, job: LensJob, repeats: number): Promise<Timed> {
  let seconds = Infinity;
  let moved = 0;
  for (let i = 0; i < repeats; i++) {
    const began = performance.now();
    const [tally] = await engine.run(job);
    seconds = Math.min(seconds, (performance.now() - began) / 1000);
    moved = tally.tensors[0].tally.updates.moved;
  }
  return { seconds, moved };
}

export async function engines(millions = 64, repeats = 5, updateSize = 1e-6): Promise<void> {
  const elements = millions * piece;
  const threads = availableParallelism();
  const { codes, updates } = pieceOfRun(updateSize);
  const fill = (weights: Uint16Array, rows: Float32Array) => {
    // Shift the updates by one in every piece, so that no two pieces are equal.
    for (let i = 0; i < weights.length; i++) {
      weights[i] = codes[i % piece];
      rows[i] = updates[(i + Math.floor(i / piece)) % piece];
    }
  };
  const weights = new Uint16Array(new SharedArrayBuffer(2 * elements));
  const rows = new Float32Array(new SharedArrayBuffer(4 * elements));
  fill(weights, rows);
  const values = (data: Uint16Array | Float32Array, formatName: string): Values => ({
    length: elements,
    origin: {
      kind: "stored",
      of: { in: data.buffer as SharedArrayBuffer, byteOffset: 0, format: format(formatName) },
    },
    read: async (start, into) => {
      if (data instanceof Float32Array) into.set(data.subarray(start, start + into.length));
      else for (let i = 0; i < into.length; i++) into[i] = bf16(data[start + i]);
    },
  });
  const job = (options: UpdateOptions, on: number, count = elements): LensJob => ({
    tensors: [
      {
        name: "w",
        shape: [count],
        weights: { ...values(weights, "bf16"), length: count },
        updates: [{ ...values(rows, "fp32"), length: count }],
      },
    ],
    stepNumbers: [0],
    cases: [updateSettings(options)],
    threads: on,
  });

  const folder = mkdtempSync(join(tmpdir(), "precision-lens-"));
  const rates = new Map<string, number>();
  const note = (name: string, { seconds, moved }: Timed, count = elements) => {
    rates.set(name, count / seconds / 1e6);
    const share = moved > 0 ? `, ${((100 * moved) / count).toFixed(3)} % moved` : "";
    process.stdout.write(
      `${name.padEnd(48)} ${(count / seconds / 1e6).toFixed(0).padStart(6)} M/s${share}\n`,
    );
  };
  try {
    const file = join(folder, "piece");
    writeFileSync(file, Buffer.concat([Buffer.from(codes.buffer), Buffer.from(updates.buffer)]));
    process.stdout.write(
      `${millions} x 2^20 weights of bf16, fp32 updates, in place, nearest-even, one step, updates of ${updateSize}\n` +
        `${cpus()[0].model}, ${threads} cores, Node ${process.versions.node}\n\n`,
    );
    for (const { name: by, options } of cLoops) {
      const compiled = compile(options, folder);
      const c = compiled ? asked(compiled, [elements, repeats, threads, file].map(String)) : {};
      for (const [name, timing] of Object.entries(c)) note(`${by} ${name}`, timing);
    }
    const inPython = (question: string) =>
      asked(question, [here("question.py"), String(elements), "2", file]);
    let python = inPython("python3");
    // The first python3 on the path may not be Debian's, which has torch.
    if (!Object.keys(python).some((name) => name.startsWith("torch")))
      python = { ...inPython(debianPython), ...python };
    for (const [name, timing] of Object.entries(python)) note(`${name} classes`, timing);
    for (const on of new Set([1, threads])) {
      note(`wasm classes ${on} (kernel alone)`, await classesAlone(elements, fill, on, repeats));
      note(`wasm everything ${on}`, await timed(wasm, job({ format: "bf16" }, on), repeats));
    }
    note("reference everything 1", await timed(reference, job({ format: "bf16" }, 1, 2 ** 21), 2), 2 ** 21);

    const rate = (name: string) => rates.get(name) ?? Number.NaN;
    const ratio = (a: string, b: string) =>
      process.stdout.write(`${`${a} / ${b}`.padEnd(70)} ${(rate(a) / rate(b)).toFixed(2)}\n`);
    process.stdout.write("\n");
    for (const on of new Set([1, threads])) {
      ratio(`wasm classes ${on} (kernel alone)`, `C classes ${on}`);
      ratio(`wasm everything ${on}`, `C everything ${on}`);
      ratio(`wasm everything ${on}`, `C 128-bit everything ${on}`);
      ratio(`wasm classes ${on} (kernel alone)`, `C stream ${on}`);
      ratio(`wasm everything ${on}`, `C stream ${on}`);
    }
    ratio(`wasm everything ${threads}`, "reference everything 1");
    for (const name of Object.keys(python)) ratio(`wasm everything ${threads}`, `${name} classes`);

    await printTurns(elements, 3 * repeats, file, folder, () => wasm.run(job({ format: "bf16" }, 1)));

    process.stdout.write(
      "\nshare of bf16 in place nearest-even, everything, one thread, CPU seconds in turns\n",
    );
    const few = elements / 4;
    const one = (options: UpdateOptions) => own("", () => wasm.run(job(options, 1, few)));
    const others: UpdateOptions[] = [
      ...["fp32", "fp16", "e5m2", "e4m3fn", "e4m3fnuz", "e2m1fn"].map((name) => ({ format: name })),
      ...roundings.slice(1).map((rounding) => ({ format: "bf16", rounding })),
      ...roundings.slice(1).map((rounding) => ({ format: "e4m3fn", rounding })),
      ...schemeNames.slice(1).map((scheme) => ({ format: "bf16", scheme })),
      ...schemeNames.slice(1).map((scheme) => ({ format: "e4m3fn", scheme })),
      { format: "bf16", scheme: "two-term", rounding: "stochastic" },
      { format: "bf16", opmath: "exact" },
      { format: "e4m3fn", scheme: "two-term", opmath: "exact" },
    ];
    for (const options of others) {
      const [theirs, base] = await inTurns([one(options), one({ format: "bf16" })], repeats);
      const share = timesFaster(theirs, base);
      const { format: stored, scheme = "in-place", rounding = "nearest-even", opmath = "fp32" } = options;
      process.stdout.write(
        `${[stored, scheme, rounding, opmath].join(" ").padEnd(48)} ${(100 * share).toFixed(0).padStart(4)} %\n`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
    await wasm.close?.();
  }
}

function bf16(code: number): number {
  word[0] = code << 16;
  return float[0];
}
const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
