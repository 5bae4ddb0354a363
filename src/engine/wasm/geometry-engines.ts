import type { Engines } from "../../geometry/job.js";
import { type ChangesKernel, codeCounterOf, provenChanges } from "./changes/changes.js";
import { type ProductsKernel, productsOf, provenProducts } from "./products/products.js";

/** The compiled and checked kernels of a geometry. Can be sent to threads. */
export interface GeometryKernels {
  readonly products: ProductsKernel;
  readonly changes: ChangesKernel;
}

/** @param withProducts whether products are needed: checking their kernel takes longer than counting a matrix. */
export async function provenGeometry(withProducts = true): Promise<GeometryKernels> {
  return { products: withProducts ? await provenProducts() : null, changes: await provenChanges() };
}

/** For one thread: the memory is not shared. */
export function geometryEngines({ products, changes }: GeometryKernels): Engines {
  return { products: productsOf(products), codes: codeCounterOf(changes) };
}
