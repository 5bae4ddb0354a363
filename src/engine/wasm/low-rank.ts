import type { Format } from "../../format/format.js";
import {
  type Factor,
  type LowRank,
  originOf,
  type StoredBytes,
  type TensorInput,
  type Values,
} from "../../lens/input.js";
import type { ExportedFunction } from "./assembler/module.js";
import { productColumns, productParameters, writeProduct } from "./kernel/product.js";
import type { ProductRows } from "./layout.js";
import type { WorkerSource, WorkerUpdates } from "./worker-job.js";

/** The maximum bytes of factors per worker; the reading thread multiplies larger ones. */
const mostBytes = 2 ** 26;

/**
 * How workers compute updates that are products of two thin matrices: a worker holds the whole right factor of its
 * tensor in fp64, and the rows of the left factor for its chunk.
 */
export class LowRankPlan {
  readonly #chunk: number;
  readonly #rows: ProductRows | null;
  /** The formats to which products are rounded; undefined for fp32. */
  readonly #rounded: ReadonlySet<Format | undefined>;

  constructor(tensors: readonly TensorInput[], chunk: number) {
    this.#chunk = chunk;
    const products = tensors.flatMap((tensor) => (this.makes(tensor) ? [productOf(tensor.updates[0])] : []));
    this.#rounded = new Set(products.map(({ rounded }) => rounded));
    const most = (sizeOf: (product: LowRank) => number) => Math.max(...products.map(sizeOf));
    this.#rows =
      products.length === 0
        ? null
        : { right: most(rightLength), left: most((product) => leftLength(product, chunk)) };
  }

  /** The sizes that the layout needs; null if there are no products. */
  get rows(): ProductRows | null {
    return this.#rows;
  }

  /** Whether workers can compute the updates of a tensor: products of the same factors, which they can read. */
  makes({ weights, updates }: TensorInput): boolean {
    const [first] = updates;
    if (first === undefined || originOf(weights, "stored") === undefined || weights.length === 0)
      return false;
    const product = originOf(first, "product");
    if (product === undefined) return false;
    const isSame = (values: Values) => {
      const other = originOf(values, "product");
      return (
        other?.left === product.left &&
        other.right === product.right &&
        other.rank === product.rank &&
        other.rounded === product.rounded
      );
    };
    return (
      updates.every(isSame) &&
      sourcesOf(product).every((stored) => stored !== undefined) &&
      8 * (rightLength(product) + leftLength(product, this.#chunk)) <= mostBytes
    );
  }

  /** Equal for plans with the same kernels. */
  get key(): string {
    return [...this.#rounded].map(kernelOf).join();
  }

  functions(): ExportedFunction[] {
    return [...this.#rounded].map((rounded) => ({
      name: kernelOf(rounded),
      parameters: productParameters,
      write: (k) => writeProduct(k, rounded),
    }));
  }

  /** @param sourceOf how a worker reads stored bytes. */
  updates(updates: readonly Values[], sourceOf: (stored: StoredBytes) => WorkerSource): WorkerUpdates {
    const { left, right, rows, columns, rank, rounded } = productOf(updates[0]);
    const factor = ({ values, transposed }: Factor) => ({
      source: sourceOf(originOf(values, "stored")!),
      transposed,
    });
    return {
      kernel: "product",
      multiply: kernelOf(rounded),
      left: factor(left),
      right: factor(right),
      rows,
      columns,
      rank,
      scales: updates.map((values) => productOf(values).scale),
    };
  }
}

function kernelOf(rounded: Format | undefined): string {
  return rounded === undefined ? "multiply" : `multiply ${rounded.name}`;
}

/** Valid if {@link LowRankPlan.makes} the updates. */
function productOf(values: Values): LowRank {
  return originOf(values, "product")!;
}

/** The stored bytes of both factors. */
export function sourcesOf({ left, right }: LowRank): (StoredBytes | undefined)[] {
  return [originOf(left.values, "stored"), originOf(right.values, "stored")];
}

/** The last group of columns may extend beyond the end of the factor. */
function rightLength({ rank, columns }: LowRank): number {
  return rank * columns + productColumns;
}

/** The maximum number of rows that a chunk overlaps. */
function leftLength({ rank, columns, rows }: LowRank, chunk: number): number {
  return rank * Math.min(rows, Math.ceil(chunk / columns) + 1);
}
