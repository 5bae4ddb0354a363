import { dtypes } from "../safetensors/dtype.js";
import type { SideTensor } from "./side-tensor.js";

/** A tensor without floating-point numbers, with the same dtype and shape on both sides. */
export interface BytesPair {
  readonly before: SideTensor;
  readonly after: SideTensor;
}

/** Whether two tensors can be compared by their bytes. */
export function areBytes(before: SideTensor | undefined, after: SideTensor | undefined): boolean {
  if (!before?.stored || !after?.stored) return false;
  const bits = dtypes.get(before.dtype)?.bits ?? 0;
  return before.dtype === after.dtype && `${before.shape}` === `${after.shape}` && bits >= 8;
}
