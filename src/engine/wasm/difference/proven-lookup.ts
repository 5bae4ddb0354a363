import {
  type CodeRuns,
  type FindOther,
  findOtherCodes,
  type LookUp,
  lookUpCodes,
} from "../../../lens/difference/look-up.js";
import type { MemorySize } from "../assembler/module.js";
import { type Kernel, type WasmMemory, webAssembly } from "../platform.js";
import { lookupModule } from "./lookup.js";

/** The bytes of codes on which a kernel is compared with the specification. */
const provenBytes = 4096;

/**
 * Looks up codes in the memory by the kernels. Each is compiled on first use and compared with the specification on its
 * first codes; if they differ, the specification is used from then on.
 */
export function lookUpIn(memory: WasmMemory, size: MemorySize): { lookUp: LookUp; findOther: FindOther } {
  const { buffer } = memory;
  let kernels: Readonly<Record<string, Kernel>> | null = null;
  const proven = new Map<string, boolean>();

  /** The kernel of runs that lie in the memory with the other views; null if it was found wrong. */
  function kernelOf({ codes, scales, bytes }: CodeRuns, name: string, views: readonly ArrayBufferView[]) {
    if (proven.get(name) === false) return null;
    for (const view of [codes, scales, ...views]) if (view.buffer !== buffer) return null;
    kernels ??= new webAssembly!.Instance(new webAssembly!.Module(lookupModule(size)), { host: { memory } })
      .exports;
    const kernel = kernels[name];
    const addresses = [codes, scales].map(({ byteOffset }) => byteOffset);
    const others = views.map(({ byteOffset }) => byteOffset);
    return (count: number, ...more: number[]) => kernel(...addresses, count, bytes, ...others, ...more);
  }

  const few = ({ codes, bits, scales, bytes }: CodeRuns): CodeRuns => {
    const count = Math.min(scales.length, Math.ceil(provenBytes / bytes));
    return { codes: codes.subarray(0, count * bytes), bits, scales: scales.subarray(0, count), bytes };
  };

  return {
    lookUp(runs, tables, into, left) {
      const name = nameOf(runs);
      const kernel = kernelOf(runs, name, [tables, into, left]);
      if (kernel !== null && !proven.has(name)) {
        const first = few(runs);
        kernel(first.scales.length);
        const expected = new Uint16Array((8 * first.codes.length) / runs.bits);
        const expectedLeft = new Uint32Array(first.scales.length + 1);
        lookUpCodes(first, tables, expected, expectedLeft);
        const isRight =
          expected.every((code, i) => code === into[i]) &&
          expectedLeft.subarray(0, expectedLeft[0] + 1).every((run, i) => run === left[i]);
        proven.set(name, isRight);
      }
      if (kernel !== null && proven.get(name)) kernel(runs.scales.length);
      else lookUpCodes(runs, tables, into, left);
    },

    findOther(runs, tables, numbers, perBlock, other) {
      const name = `${nameOf(runs)}Other`;
      const kernel = kernelOf(runs, name, [tables, numbers, other]);
      if (kernel !== null && !proven.has(name)) {
        proven.set(name, findsRightly(few(runs), tables, numbers, kernel, other));
      }
      if (kernel !== null && proven.get(name)) kernel(runs.scales.length, perBlock);
      else findOtherCodes(runs, tables, numbers, perBlock, other);
    },
  };
}

function nameOf({ bits, bytes }: CodeRuns): string {
  return bits === 8 ? "bits8" : bytes % 16 === 0 ? "bits4" : "bits4Short";
}

/** Whether a kernel agrees with the specification on each run: unchanged, and with one bit of each number changed. */
function findsRightly(
  runs: CodeRuns,
  tables: Uint8Array,
  numbers: Uint16Array,
  kernel: (count: number, perBlock: number) => void,
  other: Uint32Array,
): boolean {
  const { bits, bytes, scales } = runs;
  const perRun = (8 * bytes) / bits;
  const expected = new Uint32Array(scales.length + 1);
  const isRight = () => {
    findOtherCodes(runs, tables, numbers, 1, expected);
    kernel(scales.length, 1);
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
