import type { Format } from "../../format/format.js";
import { format } from "../../format/registry.js";

/** How safetensors stores one element. */
export interface Dtype {
  readonly name: string;
  readonly bits: number;
  /** The format of its codes; `null` for dtypes that are valid in a file but not read as weights. */
  readonly format: Format | "fp64" | null;
}

const rows: readonly Dtype[] = [
  { name: "F64", bits: 64, format: "fp64" },
  { name: "F32", bits: 32, format: format("fp32") },
  { name: "F16", bits: 16, format: format("fp16") },
  { name: "BF16", bits: 16, format: format("bf16") },
  { name: "F8_E4M3", bits: 8, format: format("e4m3fn") },
  { name: "F8_E5M2", bits: 8, format: format("e5m2") },
  { name: "F8_E4M3FNUZ", bits: 8, format: format("e4m3fnuz") },
  { name: "F8_E5M2FNUZ", bits: 8, format: format("e5m2fnuz") },
  { name: "F8_E8M0", bits: 8, format: format("e8m0fnu") },
  { name: "F6_E2M3", bits: 6, format: format("e2m3fn") },
  { name: "F6_E3M2", bits: 6, format: format("e3m2fn") },
  { name: "F4", bits: 4, format: format("e2m1fn") },
  { name: "C64", bits: 64, format: null },
  { name: "I64", bits: 64, format: null },
  { name: "U64", bits: 64, format: null },
  { name: "I32", bits: 32, format: null },
  { name: "U32", bits: 32, format: null },
  { name: "I16", bits: 16, format: null },
  { name: "U16", bits: 16, format: null },
  { name: "I8", bits: 8, format: null },
  { name: "U8", bits: 8, format: null },
  { name: "BOOL", bits: 8, format: null },
];

/** The smallest number of elements that fill whole bytes; 1 unless elements share bytes. */
export function elementsPerGroup({ bits }: Dtype): number {
  return bits === 4 ? 2 : bits === 6 ? 4 : 1;
}

/** The dtypes that a safetensors file may name. */
export const dtypes: ReadonlyMap<string, Dtype> = new Map(rows.map((dtype) => [dtype.name, dtype]));

/** The names of the dtypes whose numbers are read. */
export const readableDtypes: readonly string[] = rows
  .filter((dtype) => dtype.format !== null)
  .map((dtype) => dtype.name);
