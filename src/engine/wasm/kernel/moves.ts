import type { FunctionWriter, I32, V128 } from "../assembler/function.js";
import { vectorBytes } from "./groups.js";

/** Bytes per group in the list: the displacements of both halves, and their updates. */
export const movesBytes = 4 * vectorBytes;
export const updatesOfMoves = 2 * vectorBytes;

/**
 * The groups of a block in which a weight moved, collected without a branch and summed afterwards. Other groups
 * would add zeros, so leaving them out changes no bit. A branch per group is mispredicted for every third one at
 * updates of 1e-5, where a step is 11 % faster without it; at 1e-6, where almost no group moves, it is 9 % slower.
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

  /** Writes a group after the last one and returns its address. */
  write(group: readonly V128[]): I32 {
    for (const [i, vector] of group.entries()) this.#k.store("v128", vector, this.#end, i * vectorBytes);
    return this.#end;
  }

  /** Keeps the written group if `any` is 1; if it is 0, the next group replaces it. */
  keep(any: I32): void {
    const { i32 } = this.#k;
    this.#k.assign(this.#end, i32.add(this.#end, i32.shl(any, Math.log2(movesBytes))));
  }

  forEach(body: (group: I32) => void): void {
    this.#k.loop(this.#first, this.#end, movesBytes, body);
  }
}
