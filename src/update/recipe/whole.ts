/**
 * What a step does to a tensor as a whole, between the lines of its weights: a product of matrices, a mean of rows, a scale
 * of a block. Its numbers are fp32.
 */
export interface Whole {
  /** Elements in a row that belong together; `tensor`: all of them, with the shape of the tensor. */
  readonly needs: number | "tensor";
  /** What it is, as a refusal has it: `whole matrices`. */
  readonly what: string;
  /** Of each weight, the names that it reads, and those that it assigns. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Why it does not take a tensor of this shape, in a few words, or null. */
  refuses?(shape: readonly number[]): string | null;
  run(columns: Columns, tensor: WholeTensor): void;
}

/** The numbers of all weights, by name. */
export type Columns = Readonly<Record<string, Float32Array>>;

export interface WholeTensor {
  /** Of the tensor; where `needs` is a number these elements are a part of it, which begins with a whole block. */
  readonly shape: readonly number[];
  /** A scalar of the step. */
  scalar(name: string): number;
  /** Rounds to the storage format. */
  store(x: number): number;
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Rows and columns: the last side, and all that lie before it. */
export function sidesOf(shape: readonly number[]): [rows: number, columns: number] {
  const columns = shape.at(-1) ?? 1;
  return [columns === 0 ? 0 : elementsOf(shape) / columns, columns];
}
