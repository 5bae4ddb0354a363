import type { Engines } from "../../geometry/job.js";
import { type ChangesKernel, codeCounterOf, provenChanges } from "./changes/changes.js";
import { type ProductsKernel, productsOf, provenProducts } from "./products/products.js";

/** What counts and multiplies for a geometry, compiled and tried. Can be sent to threads. */
export interface GeometryKernels {
  readonly products: ProductsKernel;
  readonly changes: ChangesKernel;
}

export async function provenGeometry(): Promise<GeometryKernels> {
  return { products: await provenProducts(), changes: await provenChanges() };
}

/** Each thread has its own: they share memory with nothing. */
export function geometryEngines({ products, changes }: GeometryKernels): Engines {
  return { products: productsOf(products), codes: codeCounterOf(changes) };
}
