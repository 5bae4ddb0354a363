import { type LookUp, lookUpCodes } from "../../../lens/difference/look-up.js";
import type { MemorySize } from "../assembler/module.js";
import { type Kernel, type WasmMemory, webAssembly } from "../platform.js";
import { lookupModule } from "./lookup.js";

/** Bytes of codes on which a kernel is compared with the specification. */
const provenBytes = 4096;

/**
 * Looks up by the kernels what lies in the memory. They are compiled when they are first asked for, and on the first codes
 * of each compared with the specification, which is taken from then on if they differ.
 */
export function lookUpIn(memory: WasmMemory, size: MemorySize): LookUp {
  const { buffer } = memory;
  let kernels: Readonly<Record<string, Kernel>> | null = null;
  const proven = new Map<string, boolean>();
  return (runs, tables, into, left) => {
    const { codes, bits, scales, bytes } = runs;
    const isInMemory = [codes, scales, tables, into, left].every((view) => view.buffer === buffer);
    const name = bits === 8 ? "bits8" : bytes % 16 === 0 ? "bits4" : "bits4Short";
    if (!isInMemory || proven.get(name) === false) {
      lookUpCodes(runs, tables, into, left);
      return;
    }
    kernels ??= new webAssembly!.Instance(new webAssembly!.Module(lookupModule(size)), { host: { memory } })
      .exports;
    const kernel = kernels[name];
    const call = (count: number) => {
      const addresses = [tables, into, left].map(({ byteOffset }) => byteOffset);
      kernel(codes.byteOffset, scales.byteOffset, count, bytes, ...addresses);
    };
    if (!proven.has(name)) {
      const few = Math.min(scales.length, Math.ceil(provenBytes / bytes));
      call(few);
      const expected = new Uint16Array((8 * few * bytes) / bits);
      const expectedLeft = new Uint32Array(few + 1);
      const fewRuns = { codes: codes.subarray(0, few * bytes), bits, scales: scales.subarray(0, few), bytes };
      lookUpCodes(fewRuns, tables, expected, expectedLeft);
      const isRight =
        expected.every((code, i) => code === into[i]) &&
        expectedLeft.subarray(0, expectedLeft[0] + 1).every((run, i) => run === left[i]);
      proven.set(name, isRight);
    }
    if (proven.get(name)) call(scales.length);
    else lookUpCodes(runs, tables, into, left);
  };
}
