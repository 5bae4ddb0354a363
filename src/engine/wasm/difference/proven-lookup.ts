import {
  type CodeRuns,
  type FindOther,
  findOtherCodes,
  type LookUp,
  lookUpCodes,
} from "../../../lens/difference/look-up.js";
import type { MemorySize } from "../assembler/module.js";
import { type Kernel, type WasmMemory, webAssembly } from "../platform.js";
import { type LookupName, lookupModule } from "./lookup.js";

/** The bytes of codes on which a kernel is compared with the specification. */
const provenBytes = 4096;

/** Look up codes, or find other numbers than in memory. */
type Use = "" | "Other";

/** A kernel, and whether it agreed with the specification; null before the comparison. */
interface Proven {
  readonly kernel: Kernel;
  isRight: boolean | null;
}

/**
 * Looks up codes in memory by kernels. Each is compiled on first use and compared with the specification on its
 * first codes; if they differ, the specification is used from then on.
 */
export function lookUpIn(memory: WasmMemory, size: MemorySize): { lookUp: LookUp; findOther: FindOther } {
  const { buffer } = memory;
  const kernels = new Map<LookupName, Record<Use, Proven>>();

  /** The kernel for such runs; null if it was found wrong, or if they are not in its memory. */
  function kernelFor(runs: CodeRuns, use: Use, tables: Uint8Array, numbers: Uint16Array, list: Uint32Array) {
    if (runs.codes.buffer !== buffer || runs.scales.buffer !== buffer) return null;
    if (tables.buffer !== buffer || numbers.buffer !== buffer || list.buffer !== buffer) return null;
    const name = nameOf(runs);
    const known = kernels.get(name) ?? compiled(name);
    return known[use].isRight === false ? null : known[use];
  }

  function compiled(name: LookupName): Record<Use, Proven> {
    const { Instance, Module } = webAssembly!;
    // One at a time: writing all of them takes as long as 20 MB of codes (measured).
    const { exports } = new Instance(new Module(lookupModule(size, name)), { host: { memory } });
    const proven = (use: Use): Proven => ({ kernel: exports[`${name}${use}`], isRight: null });
    const both = { "": proven(""), Other: proven("Other") };
    kernels.set(name, both);
    return both;
  }

  return {
    lookUp(runs, tables, into, left) {
      const found = kernelFor(runs, "", tables, into, left);
      if (found === null) return lookUpCodes(runs, tables, into, left);
      const { kernel } = found;
      const at = [tables, into, left].map(({ byteOffset }) => byteOffset);
      const lookUp = ({ codes, scales, bytes }: CodeRuns) =>
        kernel(codes.byteOffset, scales.byteOffset, scales.length, bytes, ...at);
      if (found.isRight === null) {
        const first = few(runs);
        lookUp(first);
        const expected = new Uint16Array((8 * first.codes.length) / runs.bits);
        const expectedLeft = new Uint32Array(first.scales.length + 1);
        lookUpCodes(first, tables, expected, expectedLeft);
        found.isRight =
          expected.every((code, i) => code === into[i]) &&
          expectedLeft.subarray(0, expectedLeft[0] + 1).every((run, i) => run === left[i]);
      }
      if (found.isRight) lookUp(runs);
      else lookUpCodes(runs, tables, into, left);
    },

    findOther(runs, tables, numbers, perBlock, other) {
      const found = kernelFor(runs, "Other", tables, numbers, other);
      if (found === null) return findOtherCodes(runs, tables, numbers, perBlock, other);
      const { kernel } = found;
      const find = ({ codes, scales, bytes }: CodeRuns, perBlock: number) =>
        kernel(
          codes.byteOffset,
          scales.byteOffset,
          scales.length,
          bytes,
          tables.byteOffset,
          numbers.byteOffset,
          other.byteOffset,
          perBlock,
        );
      if (found.isRight === null) {
        const first = few(runs);
        found.isRight = findsRightly(first, tables, numbers, () => find(first, 1), other);
      }
      if (found.isRight) find(runs, perBlock);
      else findOtherCodes(runs, tables, numbers, perBlock, other);
    },
  };
}

function few({ codes, bits, scales, bytes }: CodeRuns): CodeRuns {
  const count = Math.min(scales.length, Math.ceil(provenBytes / bytes));
  return { codes: codes.subarray(0, count * bytes), bits, scales: scales.subarray(0, count), bytes };
}

function nameOf({ bits, bytes }: CodeRuns): LookupName {
  return bits === 8 ? "bits8" : bytes % 16 === 0 ? "bits4" : "bits4Short";
}

/** Whether a kernel agrees with the specification on each run: unchanged, and with one bit of each number changed. */
function findsRightly(
  runs: CodeRuns,
  tables: Uint8Array,
  numbers: Uint16Array,
  find: () => void,
  other: Uint32Array,
): boolean {
  const { bits, bytes, scales } = runs;
  const perRun = (8 * bytes) / bits;
  const expected = new Uint32Array(scales.length + 1);
  const isRight = () => {
    findOtherCodes(runs, tables, numbers, 1, expected);
    find();
    return expected.subarray(0, expected[0] + 1).every((run, i) => run === other[i]);
  };
  const flip = () => {
    for (let run = 0; run < scales.length; run++) numbers[run * perRun + (run % perRun)] ^= 1 << (run % 16);
  };
  const asItIs = isRight();
  flip();
  const changed = isRight();
  flip();
  return asItIs && changed;
}
