import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { vectorBytes } from "./groups.js";

/** Bytes of a group in the list: what both halves moved by, and their updates. */
export const movesBytes = 4 * vectorBytes;

/**
 * The groups of a block in which a weight moved, gathered without a branch and summed afterwards: at updates of 1e-5 a
 * branch on them is mispredicted for every third group. Weights that stay would add zeros: leaving them out changes no bit.
 */
export class Moves {
  readonly #k: FunctionWriter;
  readonly #first: I32;
  readonly #end: I32;

  /** @param first the address of the list, which has room for all groups of a block. */
  constructor(k: FunctionWriter, first: I32) {
    this.#k = k;
    this.#first = first;
    this.#end = k.variable("i32");
  }

  begin(): void {
    this.#k.assign(this.#end, this.#first);
  }

  /** Writes a group behind the last one; the next one takes its place unless `any`, 0 or 1, is 1. */
  add(any: I32, group: readonly V128[]): void {
    const k = this.#k;
    for (const [i, vector] of group.entries()) k.store("v128", vector, this.#end, i * vectorBytes);
    k.assign(this.#end, k.i32.add(this.#end, k.i32.shl(any, Math.log2(movesBytes))));
  }

  forEach(body: (group: readonly V128[]) => void): void {
    const k = this.#k;
    k.loop(this.#first, this.#end, movesBytes, (at) => {
      body([0, 1, 2, 3].map((i) => k.load("v128", at, i * vectorBytes)));
    });
  }
}
