import type { Engines } from "../../geometry/job.js";
import { type ChangesKernel, codeCounterOf, provenChanges } from "./changes/changes.js";
import { type ProductsKernel, productsOf, provenProducts } from "./products/products.js";

/** What counts and multiplies for a geometry, compiled and tried. Can be sent to threads. */
export interface GeometryKernels {
  readonly products: ProductsKernel;
  readonly changes: ChangesKernel;
}

/** @param withProducts whether anything will be multiplied: to try that takes longer than to count a matrix. */
export async function provenGeometry(withProducts = true): Promise<GeometryKernels> {
  return { products: withProducts ? await provenProducts() : null, changes: await provenChanges() };
}

/** Each thread has its own: they share memory with nothing. */
export function geometryEngines({ products, changes }: GeometryKernels): Engines {
  return { products: productsOf(products), codes: codeCounterOf(changes) };
}
