import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { ExportedFunction } from "../assembler/module.js";

/** Elements processed at once. */
const length = 8;

/** One of the two sides, the change, the change with random signs, and the base plus that. */
export const forms = ["side", "change", "signed", "signedToBase"] as const;
export type Form = (typeof forms)[number];

/**
 * Functions `(base, tuned, into, count, signs, element)` that compute fp32 numbers from bf16 codes, for each
 * {@link Form}; `side` reads the base. Results equal those of `tilesOf` bit for bit. `count` is rounded up to a
 * multiple of eight.
 *
 * - `signs`: words with a bit set for each element to negate; `element`: index of the first bit, a multiple of four.
 */
export function formingFunctions(): ExportedFunction[] {
  const parameters = ["i32", "i32", "i32", "i32", "i32", "i32"] as const;
  return forms.map((form) => ({ name: form, parameters, write: (k) => write(k, form) }));
}

function write(k: FunctionWriter, form: Form): void {
  const { i32, f32x4, i32x4, v128 } = k;
  const [base, tuned, into, count, signs, first] = [0, 1, 2, 3, 4, 5].map((i) => k.parameter(i, "i32"));
  const toTuned = i32.sub(tuned, base);
  const [to, element] = [k.variable("i32"), k.variable("i32")];
  k.assign(to, into);
  k.assign(element, first);
  const bits = i32x4.constants(1, 2, 4, 8);
  const sign = i32x4.constant(0x80000000 | 0);
  const turned = (change: V128, from: I32) => {
    const word = k.load("i32", i32.add(signs, i32.shl(i32.shr_u(from, 5), 2)));
    const four = i32x4.splat(i32.shr_u(word, i32.and(from, 31)));
    return v128.xor(change, v128.and(i32x4.eq(v128.and(four, bits), bits), sign));
  };
  k.loop(base, i32.add(base, i32.shl(count, 1)), 2 * length, (at) => {
    const a = numbersOf(k, k.load("v128", at));
    const b = form === "side" ? a : numbersOf(k, k.load("v128", i32.add(at, toTuned)));
    for (const [half, from] of a.entries()) {
      let number = from;
      if (form !== "side") number = f32x4.sub(b[half], from);
      if (form === "signed" || form === "signedToBase") number = turned(number, i32.add(element, 4 * half));
      if (form === "signedToBase") number = f32x4.add(from, number);
      k.store("v128", number, to, 16 * half);
    }
    k.assign(to, i32.add(to, 4 * length));
    k.assign(element, i32.add(element, length));
  });
}

/** Eight codes as fp32 numbers. */
function numbersOf({ i32x4 }: FunctionWriter, codes: V128): V128[] {
  return [i32x4.extend_low_i16x8_u(codes), i32x4.extend_high_i16x8_u(codes)].map((half) =>
    i32x4.shl(half, 16),
  );
}
