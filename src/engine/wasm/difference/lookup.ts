import type { FunctionWriter, I32 } from "../assembler/function.js";
import type { MemorySize } from "../assembler/module.js";
import { moduleBytes } from "../assembler/module.js";

/** Bytes that are looked up in one turn of a loop. */
const turns = { 1: 16, 2: 8 } as const;

/**
 * A module with `one` and `two(codes, scales, runs, bytes, tables, into)`: each byte of a run of codes is looked up in the
 * table of the run, which the run's scale, a byte, chooses, and gives one 16-bit code, or two.
 */
export function lookupModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  const parameters = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;
  return moduleBytes(memory, [
    { name: "one", parameters, write: (k) => writeLookup(k, 1) },
    { name: "two", parameters, write: (k) => writeLookup(k, 2) },
  ]);
}

/** Bytes of a table of so many 16-bit codes an entry. */
export function tableBytes(perByte: 1 | 2): number {
  return 512 * perByte;
}

/** Valid for runs of a multiple of {@link turns} bytes. */
function writeLookup(k: FunctionWriter, perByte: 1 | 2): void {
  const { i32 } = k;
  const [codes, scales, runs, bytes, tables, into] = [0, 1, 2, 3, 4, 5].map((n) => k.parameter(n, "i32"));
  const none = i32.constant(0);
  const turn = turns[perByte];
  const [from, to] = [k.variable("i32"), k.variable("i32")];
  k.assign(from, codes);
  k.assign(to, into);
  k.loop(none, runs, 1, (run) => {
    const scale = k.load("i32_8u", i32.add(scales, run));
    const table = i32.add(tables, i32.shl(scale, Math.log2(tableBytes(perByte))));
    const end = i32.add(from, bytes);
    k.loop(from, end, turn, (at) => {
      for (let byte = 0; byte < turn; byte += 4) {
        const word = k.load("i32", at, byte);
        const entries = [0, 1, 2, 3].map((of) => entry(k, word, of, table, perByte));
        if (perByte === 2) {
          for (const [i, pair] of entries.entries()) k.store("i32", pair, to, 4 * (byte + i));
        } else {
          for (const i of [0, 2]) {
            k.store("i32", i32.or(entries[i], i32.shl(entries[i + 1], 16)), to, 2 * (byte + i));
          }
        }
      }
      k.assign(to, i32.add(to, 2 * perByte * turn));
    });
    k.assign(from, end);
  });
}

/** What a byte of a word stands for in a table. */
function entry(k: FunctionWriter, word: I32, byte: number, table: I32, perByte: 1 | 2): I32 {
  const { i32 } = k;
  const width = Math.log2(2 * perByte);
  const shift = 8 * byte - width;
  const moved = shift < 0 ? i32.shl(word, -shift) : i32.shr_u(word, shift);
  const at = i32.add(table, i32.and(moved, 255 << width));
  return perByte === 2 ? k.load("i32", at) : k.load("i32_16u", at);
}
