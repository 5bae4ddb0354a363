import { decode } from "../../../format/encode.js";
import { format } from "../../../format/registry.js";
import { compareNumbers, DifferenceTally } from "../../../lens/difference/difference.js";
import { type Comparer, type Comparison, codeComparer } from "../../../lens/difference/difference-codes.js";
import { pageBytes } from "../assembler/module.js";
import { addDigits, sumBytes } from "../digits.js";
import { type Kernel, type WasmMemory, webAssembly } from "../platform.js";
import { differenceModule } from "./kernel.js";
import { blockBytes, gathers, layout, mostBlocks, nearDistances, report, reportBytes } from "./layout.js";
import { lookUpIn } from "./proven-lookup.js";

const bf16 = format("bf16");

/** Memory for the buffers that a comparer hands out, besides its own. */
const bufferPages = 96;

/** The pages that the kernel uses itself. */
export const ownPages = Math.ceil(layout.bytes / pageBytes);
const pages = ownPages + bufferPages;

export const memorySize = { pages, shared: false } as const;

/** The compiled kernel, which can be sent to threads without compiling it again. Null if there is none. */
export type DifferenceKernel = object | null;

/**
 * The WebAssembly kernel that compares bf16 in vectors of eight, checked on this device. Null if there is no SIMD, or
 * if its counts of hard cases differ from the specification.
 */
export async function provenKernel(): Promise<DifferenceKernel> {
  if (!webAssembly) return null;
  const bytes = differenceModule(memorySize);
  if (!webAssembly.validate(bytes)) return null;
  const kernel = await webAssembly.compile(bytes);
  return countsRightly(kernel) ? kernel : null;
}

/** A comparer that uses the kernel for bf16, and `codeComparer` for other formats or without a kernel. */
export function comparerOf(kernel: DifferenceKernel): Comparer {
  const fallback = codeComparer();
  if (kernel === null) return fallback;
  const comparison = new WasmComparison(kernel, fallback.comparison(bf16));
  let used = ownPages * pageBytes;
  return {
    allocate(length) {
      const at = used;
      if (at + length > pages * pageBytes) return fallback.allocate(length);
      used += Math.ceil(length / 16) * 16;
      return new Uint8Array(comparison.memory, at, length);
    },
    comparison: (compared) => (compared === bf16 ? comparison : fallback.comparison(compared)),
    ...lookUpIn(comparison.host.memory, memorySize),
  };
}

/** A comparison of bf16 by the kernel, in memory of {@link memorySize}: the first {@link ownPages} are its own. */
export function comparisonIn(memory: WasmMemory, kernel: object): Comparison {
  return new WasmComparison(kernel, codeComparer().comparison(bf16), memory);
}

/** The kernel's counts stay in its memory until the end. */
class WasmComparison implements Comparison {
  readonly host: { readonly memory: WasmMemory };
  readonly memory: ArrayBuffer;
  readonly #compare: Kernel;
  readonly #fallback: Comparison;
  /** Elements of blocks that the kernel handled. */
  #compared = 0;
  readonly #report: Uint32Array;
  readonly #bins: Uint32Array;
  readonly #sum: DataView;
  readonly #left: Uint32Array;

  /** @param fallback compares the blocks that the kernel skips. */
  constructor(
    kernel: object,
    fallback: Comparison,
    hostMemory = new webAssembly!.Memory({ initial: pages, maximum: pages }),
  ) {
    const { Instance } = webAssembly!;
    const host = { memory: hostMemory };
    const memory = hostMemory.buffer as ArrayBuffer;
    this.host = host;
    this.memory = memory;
    this.#compare = new Instance(kernel, { host }).exports.compare;
    this.#fallback = fallback;
    this.#report = new Uint32Array(memory, layout.report, reportBytes / 4);
    this.#bins = new Uint32Array(memory, layout.bins, 32);
    this.#sum = new DataView(memory, layout.sum, sumBytes);
    this.#left = new Uint32Array(memory, layout.left, 1);
    new Uint8Array(memory).set(gathers(), layout.gathers);
  }

  compare(before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void {
    // A tensor's last block may end within a vector.
    const vectors = before.length % 16 === 0 ? before.length : before.length - (before.length % blockBytes);
    for (let at = 0; at < vectors; at += mostBlocks * blockBytes) {
      this.#compareBlocks(before, after, at, Math.min(vectors, at + mostBlocks * blockBytes), tally);
    }
    if (vectors < before.length) this.#leave(before, after, vectors, before.length, tally);
    // The kernel counts in 32 bits.
    if (this.#compared > 2 ** 30) this.end(tally);
  }

  end(tally: DifferenceTally): void {
    const compared = this.#compared;
    const changed = this.#report[report.changed / 4];
    tally.elements += compared;
    tally.unchanged += compared - changed;
    // The kernel skips blocks in which zeros differ by their sign.
    tally.bytesChanged += changed;
    // No two bf16 numbers are within 1e-3 of each other.
    tally.pathNotTaken += compared - changed;
    tally.smallSubnetworks += compared - this.#added(report.largeMoves);
    tally.signFlips += this.#added(report.signFlips);
    for (let distance = 1; distance <= nearDistances; distance++) {
      tally.distances[distance - 1] += this.#added(report.distances + 16 * (distance - 1));
    }
    for (let bin = 1; bin < this.#bins.length; bin++) tally.distances[bin - 1] += this.#bins[bin];
    addDigits(this.#sum, 0, tally.displacementSquared);
    this.#compared = 0;
    this.#report.fill(0);
    this.#bins.fill(0);
    new Uint8Array(this.memory, layout.sum, sumBytes).fill(0);
    this.#fallback.end(tally);
  }

  #compareBlocks(before: Uint8Array, after: Uint8Array, start: number, end: number, tally: DifferenceTally) {
    this.#compare(this.#address(before, start, end, 0), this.#address(after, start, end, 1), end - start);
    this.#compared += (end - start) / 2;
    if (this.#left[0] !== 0) this.#leaveBlocks(before, after, start, end, tally);
  }

  #leaveBlocks(before: Uint8Array, after: Uint8Array, start: number, end: number, tally: DifferenceTally) {
    for (let at = start, block = 0; at < end; at += blockBytes, block++) {
      if (((this.#left[0] >>> block) & 1) === 0) continue;
      const endOfBlock = Math.min(at + blockBytes, end);
      this.#leave(before, after, at, endOfBlock, tally);
      this.#compared -= (endOfBlock - at) / 2;
    }
  }

  #leave(before: Uint8Array, after: Uint8Array, start: number, end: number, tally: DifferenceTally): void {
    this.#fallback.compare(before.subarray(start, end), after.subarray(start, end), tally);
  }

  /** The address of bytes in the memory; copies others there. */
  #address(bytes: Uint8Array, start: number, end: number, side: 0 | 1): number {
    if (bytes.buffer === this.memory) return bytes.byteOffset + start;
    const scratch = layout.scratch[side];
    new Uint8Array(this.memory, scratch, end - start).set(bytes.subarray(start, end));
    return scratch;
  }

  #added(offset: number): number {
    const words = this.#report;
    const at = offset / 4;
    return words[at] + words[at + 1] + words[at + 2] + words[at + 3];
  }
}

/**
 * Whether the kernel counts like the specification in both of its code paths: codes of all kinds, at many distances, in
 * every lane. And whether it skips a block with a single nonfinite element, changed or not.
 */
export function countsRightly(kernel: object): boolean {
  let left = 0;
  const leave: Comparison = {
    compare(before) {
      left += before.length / 2;
    },
    end() {},
  };
  const comparison = new WasmComparison(kernel, leave);
  const compare = (before: Uint16Array, after: Uint16Array): DifferenceTally => {
    const tally = new DifferenceTally();
    comparison.compare(bytesOf(before), bytesOf(after), tally);
    comparison.end(tally);
    return tally;
  };

  const { before, after } = hardCases();
  const numbers = (codes: Uint16Array) => Float64Array.from(codes, (code) => decode(code, bf16));
  const expected = new DifferenceTally();
  compareNumbers({ before: numbers(before), after: numbers(after) }, bf16, expected);
  const counted = JSON.stringify(expected);
  // After a block with few changes, and after one with many.
  compare(before, before);
  for (let twice = 0; twice < 2; twice++) {
    if (JSON.stringify(compare(before, after)) !== counted || left > 0) return false;
  }

  const good = before.slice(0, 48);
  const bad = good.slice();
  const isLeft = (before: Uint16Array, after: Uint16Array) => {
    left = 0;
    return compare(before, after).elements === 0 && left === good.length;
  };
  // In a group, or in the two vectors after it.
  return [false, true].every((much) =>
    good.every((code, at) => {
      bad[at] = [0x7f80, 0xff80, 0x7fff, 0xffff][(at + (at >> 3)) % 4];
      if (much) compare(before, after);
      const allLeft = isLeft(bad, bad) && isLeft(bad, good) && isLeft(good, bad);
      bad[at] = code;
      return allLeft;
    }),
  );
}

function bytesOf({ buffer, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, 0, byteLength);
}

/** Finite codes of all kinds, in whole vectors; a step of 0 means unchanged. */
function hardCases(): { before: Uint16Array; after: Uint16Array } {
  const steps = [0, 0, 1, 0x8000, 0, 2, 0, 3, 0, 4, 0x7f, 0, 0x200, 0, 0];
  const before = Uint16Array.from({ length: 600 }, (_, i) => (i * 0x9e37) & 0xffff);
  const after = before.map((code, i) => code + steps[i % steps.length]);
  const finiteCode = (code: number) => (code & 0x7f80) !== 0x7f80;
  const finite = [...before.keys()].filter((i) => finiteCode(before[i]) && finiteCode(after[i]));
  const [from, to] = [before, after].map((codes) => Uint16Array.from(finite, (i) => codes[i]));
  return { before: from.slice(0, from.length & -8), after: to.slice(0, to.length & -8) };
}
