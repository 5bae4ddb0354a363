/** A thread of `diff --geometry`. */
import { type ProductsKernel, productsOf } from "../engine/wasm/products/products.js";
import { serveGeometry } from "../source/pair/geometry-pool.js";

serveGeometry((kernel) => productsOf(kernel as ProductsKernel));
