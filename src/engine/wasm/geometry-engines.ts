import type { Engines } from "../../geometry/job.js";
import { type ChangesKernel, codeCounterOf, provenChanges } from "./changes/changes.js";
import type { DifferenceKernel } from "./difference/comparison.js";
import { type ProductsKernel, productsOf, provenProducts } from "./products/products.js";

/** The compiled and checked kernels of a geometry. Can be sent to threads. */
export interface GeometryKernels {
  readonly products: ProductsKernel;
  readonly changes: ChangesKernel;
  /** Null if the counts of `diff` are not made on the way. */
  readonly difference: DifferenceKernel;
}

/**
 * @param withProducts whether products are needed: checking their kernel takes longer than counting a matrix.
 * @param difference the kernel of `diff`, to make its counts on the way.
 */
export async function provenGeometry(
  withProducts = true,
  difference: DifferenceKernel = null,
): Promise<GeometryKernels> {
  return {
    products: withProducts ? await provenProducts() : null,
    changes: await provenChanges(),
    difference,
  };
}

/** For one thread: the memory is not shared. */
export function geometryEngines({ products, changes, difference }: GeometryKernels): Engines {
  return { products: productsOf(products), codes: codeCounterOf(changes, difference) };
}
