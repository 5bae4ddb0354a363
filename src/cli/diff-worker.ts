/** A thread of `diff`. */
import { comparerOf, type DifferenceKernel } from "../engine/wasm/difference/comparison.js";
import { serveRanges } from "../source/pair/serve-ranges.js";

serveRanges((kernel) => comparerOf(kernel as DifferenceKernel));
