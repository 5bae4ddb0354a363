import type { FunctionWriter, I32 } from "../assembler/function.js";
import { type MemorySize, moduleBytes } from "../assembler/module.js";
import { findFew, findMany, findRest } from "./find.js";
import { blockBytes, groupBytes, layout, report, vectorBytes } from "./layout.js";
import { Measures } from "./measures.js";
import { Range } from "./range.js";

/**
 * Changed elements of a block from which the next one is taken to have many: there it takes no longer to gather from
 * every vector than to look for those that differ (measured).
 */
const many = 112;

/**
 * A module with `compare(before, after, bytes)`, of whole blocks and a last one of whole vectors, and with `block`, its
 * part. The report is added to; so are counts.
 */
export function differenceModule(memory: MemorySize): Uint8Array<ArrayBuffer> {
  return moduleBytes(memory, [
    { name: "compare", parameters: ["i32", "i32", "i32"], write: writeCompare },
    { name: "block", parameters: ["i32", "i32", "i32", "i32"], write: writeBlock },
  ]);
}

function writeCompare(k: FunctionWriter): void {
  const { i32 } = k;
  const [before, after, bytes] = [0, 1, 2].map((n) => k.parameter(n, "i32"));
  const whole = i32.and(bytes, -blockBytes);
  const sumOf = (at: I32) => i32.add(i32.shr_u(at, Math.log2(blockBytes / 8)), layout.sums);
  const size = i32.constant(blockBytes);
  k.loop(i32.constant(0), whole, blockBytes, (at) => {
    k.call("block", i32.add(before, at), i32.add(after, at), size, sumOf(at));
  });
  const rest = i32.sub(bytes, whole);
  k.if(rest, () => k.call("block", i32.add(before, whole), i32.add(after, whole), rest, sumOf(whole)));
}

/**
 * Compares a block: what differs is gathered, in one of two ways that give the same, and then measured eight at a time.
 * Leaves a block that has NaN, Inf, a displacement beyond fp32, or zeros that differ by their sign.
 */
function writeBlock(k: FunctionWriter): void {
  const { i32, v128 } = k;
  const [before, after, bytes, sum] = [0, 1, 2, 3].map((n) => k.parameter(n, "i32"));
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
  // They fill up the last vector.
  const zeros = k.i32x4.constant(0);
  k.store("v128", zeros, listed, layout.before);
  k.store("v128", zeros, listed, layout.after);
  k.loop(none, listed, vectorBytes, (at) => measures.measure(at));

  const total = k.i64.reinterpret(measures.sum());
  const isBad = v128.any_true(v128.or(range.outside(), measures.zeros));
  const finite = i32.lt_u(i32.wrap(k.i64.shr_u(total, 32)), 0x7ff0_0000);
  k.store("i64", total, sum);
  k.if(
    i32.lt_u(isBad, finite),
    () => k.if(listed, () => measures.report(listed)),
    () => {
      k.store("i32", i32.constant(-1), sum, 4);
      const left = layout.report + report.left;
      k.store("i32", i32.add(k.load("i32", none, left), 1), none, left);
    },
  );
}
