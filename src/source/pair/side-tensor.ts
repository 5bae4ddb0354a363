import type { ComparedFormat } from "../../lens/ulp-distance.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import type { ScaledCodes } from "../scaled/scaled-codes.js";

/** A tensor of one side. */
export interface SideTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
  /** As named in the file. */
  readonly dtype: string;
  /** `null` if its numbers are not read. */
  readonly format: ComparedFormat | null;
  /** The location of its bytes; `null` if it is computed. */
  readonly stored: { readonly file: string; readonly begin: number } | null;
  /** Codes and scales with their locations, if it is stored as such. */
  readonly scaled?: ScaledCodes;
  /** See StoredTensor. */
  readonly obstacle?: StoredTensor["obstacle"];
  /** Fills `into` with the numbers from `start` on, and sets `updated` to 1 for each that had a nonzero update. */
  read(start: number, into: Float64Array, updated: Uint8Array | null): Promise<void>;
}

/** A tensor of a file as one of a side. */
export function sideTensor({
  name,
  shape,
  elements,
  dtype,
  values,
  file,
  begin,
  scaled,
  obstacle,
}: StoredTensor): SideTensor {
  return {
    name,
    shape,
    elements,
    dtype: dtype.name,
    format: dtype.format,
    stored: begin === null ? null : { file, begin },
    ...(scaled && { scaled }),
    ...(obstacle && { obstacle }),
    read: async (start, into) => values!.read(start, into),
  };
}
