/**
 * The whole-tensor part of a step, between its per-weight lines: a matrix product, a row mean, a block scale.
 * Numbers are fp32.
 */
export interface Whole {
  /** The number of consecutive elements that belong together; `tensor`: all, with the tensor's shape. */
  readonly needs: number | "tensor";
  /** Its description in refusals: `whole matrices`. */
  readonly what: string;
  /** For each weight, the names that it reads and assigns. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Why it refuses a tensor of this shape, in a few words, or null. */
  refuses?(shape: readonly number[]): string | null;
  run(columns: Columns, tensor: WholeTensor): void;
}

/** The numbers of all weights, by name. */
export type Columns = Readonly<Record<string, Float32Array>>;

export interface WholeTensor {
  /**
   * The tensor's shape; if `needs` is a number, these elements are a part of it, starting at a block
   * boundary.
   */
  readonly shape: readonly number[];
  /** A scalar of the step. */
  scalar(name: string): number;
  /** Rounds to the storage format. */
  store(x: number): number;
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Columns are the last dimension, rows the product of the others. */
export function sidesOf(shape: readonly number[]): [rows: number, columns: number] {
  const columns = shape.at(-1) ?? 1;
  return [columns === 0 ? 0 : elementsOf(shape) / columns, columns];
}
