/** A thread of `diff --geometry`. */
import { type GeometryKernels, geometryEngines } from "../engine/wasm/geometry-engines.js";
import { serveGeometry } from "../source/pair/geometry-pool.js";

serveGeometry((kernels) => geometryEngines(kernels as GeometryKernels));
