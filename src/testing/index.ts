/** Checks of low-precision arithmetic, for vitest, jest, node:test or none; needs no package. */

export type { Explained } from "../vectors/mistake.js";
export type { OperationName } from "../vectors/operation.js";
export type { QuantizedCodes } from "../vectors/quantizer-mistakes.js";
export { checkOperation, type OperationCheck } from "./check-operation.js";
export { checkQuantizer } from "./check-quantizer.js";
export { checkEncoding, checkRounding, type RoundingCheck } from "./check-rounding.js";
export { ArithmeticMismatch, type Checked, type CheckOptions } from "./mismatch.js";
