import type { FunctionWriter, V128 } from "../assembler/function.js";

/** Checks that codes represent finite numbers. */
export class Range {
  readonly #k: FunctionWriter;
  readonly #positive: V128;
  readonly #negative: V128;

  constructor(k: FunctionWriter) {
    this.#k = k;
    [this.#positive, this.#negative] = [k.variable("v128"), k.variable("v128")];
  }

  /** A code with the sign bit is the smaller one as a signed number, and the larger one as an unsigned number. */
  include(codes: V128): void {
    const k = this.#k;
    k.assign(this.#positive, k.i16x8.max_s(this.#positive, codes));
    k.assign(this.#negative, k.i16x8.max_u(this.#negative, codes));
  }

  /** Has bits set if a code is NaN or Inf. */
  outside(): V128 {
    const { v128, i16x8 } = this.#k;
    const beyond = (codes: V128, largest: number) => i16x8.gt_u(codes, all(this.#k, largest));
    return v128.or(beyond(this.#positive, 0x7f7f), beyond(this.#negative, 0xff7f));
  }
}

/** A vector with the code in every lane. */
export function all(k: FunctionWriter, code: number): V128 {
  return k.i32x4.constant(code * 0x10001);
}
