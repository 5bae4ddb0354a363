import { randomBits, stepKey, tensorKey, type Words } from "../../update/threefry.js";
import type { Chunk } from "../chunk-lens.js";

/** The random bits for the roundings of each weight. */
export class ElementBits {
  readonly #seed: number;
  #tensor: Words = [0, 0];
  #step: Words = [0, 0];
  #first = 0;
  #element = 0;
  #draw = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  begin({ tensor, start }: Chunk): void {
    this.#tensor = tensorKey(this.#seed, tensor);
    this.#first = start;
  }

  beginStep(step: number): void {
    this.#step = stepKey(this.#tensor, step);
  }

  /** Moves to the first rounding of weight i of the chunk. */
  seek(i: number): void {
    this.#element = this.#first + i;
    this.#draw = 0;
  }

  next(): number {
    return randomBits(this.#step, this.#element, this.#draw++);
  }
}
