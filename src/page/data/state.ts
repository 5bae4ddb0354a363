import { choiceField, type Fields } from "../location.js";
import { formatNames } from "../settings.js";

/** All that the address says of the view of one's own data. The files are the visitor's. */
export interface DataState {
  readonly format: string;
  readonly engine: "auto" | "wasm" | "gpu" | "reference";
}

export const dataFields: Fields<DataState> = {
  format: choiceField(formatNames, "bf16"),
  engine: choiceField(["auto", "wasm", "gpu", "reference"], "auto"),
};
