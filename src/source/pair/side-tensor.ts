import type { ComparedFormat } from "../../lens/ulp-distance.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import type { ScaledCodes } from "../scaled/scaled-codes.js";

/** A tensor of one side. */
export interface SideTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
  /** As the file says. */
  readonly dtype: string;
  /** `null` if its numbers are not read. */
  readonly format: ComparedFormat | null;
  /** Where its bytes lie; `null` if it has to be computed. */
  readonly stored: { readonly file: string; readonly begin: number } | null;
  /** Where it is codes and scales: both, and where they lie. */
  readonly scaled?: ScaledCodes;
  /** See StoredTensor. */
  readonly obstacle?: StoredTensor["obstacle"];
  /** Fills `into` with the numbers from `start` on, and `updated` with 1 for each that an update other than zero met. */
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
