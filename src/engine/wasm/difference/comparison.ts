import { decode } from "../../../format/encode.js";
import { format } from "../../../format/registry.js";
import { compareNumbers, DifferenceTally } from "../../../lens/difference.js";
import {
  type Comparer,
  type Comparison,
  codeComparer,
  compareBySpecification,
} from "../../../lens/difference-codes.js";
import { pageBytes } from "../assembler/module.js";
import { type Kernel, webAssembly } from "../platform.js";
import {
  blockBytes,
  differenceModule,
  gathers,
  layout,
  mostBlocks,
  nearDistances,
  report,
  reportBytes,
} from "./kernel.js";

const bf16 = format("bf16");

/** Memory for the buffers that a comparer gives away, beside its own. */
const bufferPages = 96;

const ownPages = Math.ceil(layout.bytes / pageBytes);

/**
 * A comparer that takes bf16 by vectors of eight, in WebAssembly, and other formats as `codeComparer` does. Null where
 * there are no such vectors, or where they do not count hard cases as the specification does.
 */
export async function wasmComparer(): Promise<Comparer | null> {
  if (!webAssembly) return null;
  const pages = ownPages + bufferPages;
  const bytes = differenceModule({ pages, shared: false });
  if (!webAssembly.validate(bytes)) return null;
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
  const buffer = memory.buffer as ArrayBuffer;
  const module = await webAssembly.compile(bytes);
  const { exports } = await webAssembly.instantiate(module, { host: { memory } });
  const fallback = codeComparer();
  const vectors = (rest: Comparison) => new WasmComparison(buffer, exports.compare, rest);
  // What is left to others is none of what is checked, and the tables of `codeComparer` take longer than the check.
  if (!countsRightly(vectors(specification))) return null;
  const comparison = vectors(fallback.comparison(bf16));
  let used = ownPages * pageBytes;
  return {
    allocate(length) {
      const at = used;
      if (at + length > pages * pageBytes) return fallback.allocate(length);
      used += Math.ceil(length / 16) * 16;
      return new Uint8Array(buffer, at, length);
    },
    comparison: (of) => (of === bf16 ? comparison : fallback.comparison(of)),
  };
}

/** That comparer, or the one in TypeScript where it cannot be had. */
export async function fastestComparer(): Promise<Comparer> {
  return (await wasmComparer()) ?? codeComparer();
}

const specification: Comparison = {
  compare: (before, after, tally) => compareBySpecification(before, after, bf16, tally),
};

class WasmComparison implements Comparison {
  readonly #memory: ArrayBuffer;
  readonly #compare: Kernel;
  readonly #fallback: Comparison;
  readonly #report: Uint32Array;
  readonly #sums: Float64Array;
  readonly #bins: Uint32Array;

  constructor(memory: ArrayBuffer, compare: Kernel, fallback: Comparison) {
    this.#memory = memory;
    this.#compare = compare;
    this.#fallback = fallback;
    this.#report = new Uint32Array(memory, layout.report, reportBytes / 4);
    this.#sums = new Float64Array(memory, layout.sums, mostBlocks);
    this.#bins = new Uint32Array(memory, layout.bins, 32);
    new Uint8Array(memory).set(gathers(), layout.gathers);
  }

  compare(before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void {
    // A tensor's last block may end within a vector.
    const vectors = before.length % 16 === 0 ? before.length : before.length - (before.length % blockBytes);
    for (let at = 0; at < vectors; at += mostBlocks * blockBytes) {
      const end = Math.min(vectors, at + mostBlocks * blockBytes);
      this.#compareBlocks(before.subarray(at, end), after.subarray(at, end), tally);
    }
    if (vectors < before.length) {
      this.#fallback.compare(before.subarray(vectors), after.subarray(vectors), tally);
    }
  }

  #compareBlocks(before: Uint8Array, after: Uint8Array, tally: DifferenceTally): void {
    this.#report.fill(0);
    this.#bins.fill(0);
    this.#compare(this.#address(before, 0), this.#address(after, 1), before.length);
    let compared = 0;
    for (let at = 0, block = 0; at < before.length; at += blockBytes, block++) {
      const end = Math.min(at + blockBytes, before.length);
      const sum = this.#sums[block];
      if (Number.isNaN(sum)) this.#fallback.compare(before.subarray(at, end), after.subarray(at, end), tally);
      else compared += (end - at) / 2;
      if (sum > 0) tally.displacementSquared.add(sum);
    }
    tally.elements += compared;
    const changed = this.#added(report.changed);
    tally.unchanged += compared - changed;
    // No two bf16 numbers are within 1e-3 of each other.
    tally.pathNotTaken += compared - changed;
    tally.smallSubnetworks += compared - this.#added(report.largeMoves);
    if (changed === 0) return;
    tally.signFlips += this.#added(report.signFlips);
    for (let distance = 1; distance <= nearDistances; distance++) {
      tally.distances[distance - 1] += this.#added(report.distances + 16 * (distance - 1));
    }
    for (let bin = 1; bin < this.#bins.length; bin++) tally.distances[bin - 1] += this.#bins[bin];
  }

  /** The address of bytes that lie in the memory; others are copied there. */
  #address(bytes: Uint8Array, side: 0 | 1): number {
    if (bytes.buffer === this.#memory) return bytes.byteOffset;
    const scratch = layout.scratch[side];
    new Uint8Array(this.#memory, scratch, bytes.length).set(bytes);
    return scratch;
  }

  #added(offset: number): number {
    const words = this.#report;
    const at = offset / 4;
    return words[at] + words[at + 1] + words[at + 2] + words[at + 3];
  }
}

/** Whether the vectors count as the specification does: all kinds of codes, at many distances, in every lane. */
function countsRightly(comparison: Comparison): boolean {
  const nonfinite = (code: number) => (code & 0x7f80) === 0x7f80;
  const steps = [0, 0, 1, 0x8000, 0, 2, 0, 3, 0, 4, 0x7f, 0, 0x200, 0, 0];
  const before = Uint16Array.from({ length: 600 }, (_, i) => (i * 0x9e37) & 0xffff);
  const after = before.map((code, i) => code + steps[i % steps.length]);
  const finite = [...before.keys()].filter((i) => !nonfinite(before[i]) && !nonfinite(after[i]));
  // The first time without NaN and Inf, which are left to the specification.
  return [finite.slice(0, finite.length & -8), [...before.keys()]].every((indices) => {
    const sides = [before, after].map((codes) => Uint16Array.from(indices, (i) => codes[i]));
    const [a, b] = sides.map((codes) => Float64Array.from(codes, (code) => decode(code, bf16)));
    const [tally, expected] = [new DifferenceTally(), new DifferenceTally()];
    comparison.compare(new Uint8Array(sides[0].buffer), new Uint8Array(sides[1].buffer), tally);
    compareNumbers({ before: a, after: b }, bf16, expected);
    return JSON.stringify(tally) === JSON.stringify(expected);
  });
}
