import type { Values } from "../lens/input.js";

/** The position of a part, a box of elements, in its tensor. */
export interface Extent {
  /** Index of its first element in each dimension. */
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

/** A part of a tensor and its numbers in row-major order. */
export interface Box extends Extent {
  readonly values: Values;
}

/** Why boxes do not partition a tensor; null if they do. */
export function whyNotParts(shape: readonly number[], boxes: readonly Extent[]): string | null {
  for (const { offsets, sizes } of boxes) {
    const isInside =
      offsets.length === shape.length &&
      sizes.length === shape.length &&
      shape.every((length, d) => offsets[d] + sizes[d] <= length);
    if (!isInside) return `a part from [${offsets}] on of shape [${sizes}] outside of it`;
  }
  const filled = boxes.filter(({ sizes }) => volume(sizes) > 0);
  const sorted = filled.toSorted((a, b) => a.offsets[0] - b.offsets[0]);
  for (const [i, box] of sorted.entries()) {
    for (let j = i + 1; j < sorted.length; j++) {
      if (sorted[j].offsets[0] >= box.offsets[0] + box.sizes[0]) break;
      if (overlap(box, sorted[j])) return `two parts with the element [${sorted[j].offsets}]`;
    }
  }
  const present = filled.reduce((sum, { sizes }) => sum + volume(sizes), 0);
  return present === volume(shape) ? null : `parts with ${present} of its ${volume(shape)} elements`;
}

/** The numbers of a tensor read from its parts. Valid if {@link whyNotParts} returns null. */
export function joinedValues(shape: readonly number[], boxes: readonly Box[]): Values {
  const length = volume(shape);
  const parts = boxes.filter(({ sizes }) => volume(sizes) > 0).map((box) => new Part(shape, box));
  return {
    length,
    async read(start, into) {
      for (const part of parts) await part.read(start, into);
    },
  };
}

/** A box as runs of elements that are contiguous in the tensor too. */
class Part {
  readonly #shape: readonly number[];
  readonly #box: Box;
  readonly #length: number;
  /** The elements per run. */
  readonly #run: number;

  constructor(shape: readonly number[], box: Box) {
    this.#shape = shape;
    this.#box = box;
    this.#length = volume(box.sizes);
    let run = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      run *= box.sizes[d];
      if (box.sizes[d] !== shape[d]) break;
    }
    this.#run = run;
  }

  /** Fills in the numbers of a tensor from `start` on that are in the box. */
  async read(start: number, into: Float32Array | Float64Array): Promise<void> {
    const from = this.#firstAtLeast(start);
    const to = this.#firstAtLeast(start + into.length);
    if (from === to) return;
    const numbers = into instanceof Float64Array ? new Float64Array(to - from) : new Float32Array(to - from);
    await this.#box.values.read(from, numbers);
    for (let at = from; at < to; ) {
      const end = Math.min(to, at - (at % this.#run) + this.#run);
      into.set(numbers.subarray(at - from, end - from), this.#placeOf(at) - start);
      at = end;
    }
  }

  /** The index in the box of its first element at or after an index of the tensor. */
  #firstAtLeast(place: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#placeOf(middle) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The index in the tensor of an element of the box. */
  #placeOf(index: number): number {
    const { offsets, sizes } = this.#box;
    let [rest, place, stride] = [index, 0, 1];
    for (let d = sizes.length - 1; d >= 0; d--) {
      place += (offsets[d] + (rest % sizes[d])) * stride;
      rest = Math.floor(rest / sizes[d]);
      stride *= this.#shape[d];
    }
    return place;
  }
}

function overlap(a: Extent, b: Extent): boolean {
  return a.offsets.every(
    (offset, d) => offset < b.offsets[d] + b.sizes[d] && b.offsets[d] < offset + a.sizes[d],
  );
}

function volume(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}
