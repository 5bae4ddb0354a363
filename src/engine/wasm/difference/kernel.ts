import type { FunctionWriter, I32 } from "../assembler/function.js";
import { type MemorySize, moduleBytes } from "../assembler/module.js";
import { addExactly, writeAddExactly } from "../kernel/sum.js";
import { findFew, findMany, findRest } from "./find.js";
import { blockBytes, groupBytes, layout, vectorBytes } from "./layout.js";
import { Measures } from "./measures.js";
import { Range } from "./range.js";

/**
 * The changed elements of a block from which the next block is assumed to have many: from there on, gathering from
 * every vector takes no longer than searching for differences (measured).
 */
const many = 112;

/**
 * A module with `compare(before, after, bytes)`, for whole blocks and a last one of whole vectors, and with its parts.
 * Adds to the counts in memory.
 */
export function differenceModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  return moduleBytes(memory, [
    { name: "compare", parameters: ["i32", "i32", "i32"], write: writeCompare },
    { name: "block", parameters: ["i32", "i32", "i32", "i32"], write: writeBlock },
    { name: addExactly, parameters: ["i32", "f64"], write: writeAddExactly },
  ]);
}

function writeCompare(k: FunctionWriter): void {
  const { i32 } = k;
  const [before, after, bytes] = [0, 1, 2].map((n) => k.parameter(n, "i32"));
  const none = i32.constant(0);
  k.store("i32", none, none, layout.left);
  const whole = i32.and(bytes, -blockBytes);
  const compare = (at: I32, length: I32) => {
    const bit = i32.shl(i32.constant(1), i32.shr_u(at, Math.log2(blockBytes)));
    k.call("block", i32.add(before, at), i32.add(after, at), length, bit);
  };
  const size = i32.constant(blockBytes);
  k.loop(none, whole, blockBytes, (at) => compare(at, size));
  const rest = i32.sub(bytes, whole);
  k.if(rest, () => compare(whole, rest));
}

/**
 * Compares a block: gathers the differences, in one of two equivalent ways, and then measures them eight at a time.
 * Skips a block with NaN, Inf, a displacement beyond fp32, or zeros that differ by their sign.
 */
function writeBlock(k: FunctionWriter): void {
  const { i32, v128 } = k;
  const [before, after, bytes, bit] = [0, 1, 2, 3].map((n) => k.parameter(n, "i32"));
  const none = i32.constant(0);
  const range = new Range(k);
  const listed = k.variable("i32");
  const found = { before, toAfter: i32.sub(after, before), listed };
  const grouped = i32.add(before, i32.and(bytes, -groupBytes));
  k.if(
    i32.lt_u(k.load("i32", none, layout.changed), i32.constant(many)),
    () => findFew(k, found, grouped, range),
    () => findMany(k, found, grouped, range),
  );
  findRest(k, found, grouped, i32.add(before, bytes), range);
  k.store("i32", i32.shr_u(listed, 1), none, layout.changed);

  const measures = new Measures(k, range);
  // Pads the last vector.
  const zeros = k.i32x4.constant(0);
  k.store("v128", zeros, listed, layout.before);
  k.store("v128", zeros, listed, layout.after);
  k.loop(none, listed, vectorBytes, (at) => measures.measure(at));

  const sum = measures.sum();
  const isBad = v128.any_true(v128.or(range.outside(), measures.zeros));
  const finite = i32.lt_u(i32.wrap(k.i64.shr_u(k.i64.reinterpret(sum), 32)), 0x7ff0_0000);
  k.if(
    i32.lt_u(isBad, finite),
    () =>
      k.if(listed, () => {
        measures.report(listed);
        k.call(addExactly, i32.constant(layout.sum), sum);
      }),
    () => k.store("i32", i32.or(k.load("i32", none, layout.left), bit), none, layout.left),
  );
}
