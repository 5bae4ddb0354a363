import { choiceField, type Fields } from "../location.js";
import { formatNames } from "../settings.js";

/** The state of the data view in the address, which does not include the files. */
export interface DataState {
  readonly format: string;
  readonly engine: "auto" | "wasm" | "gpu" | "reference";
}

export const dataFields: Fields<DataState> = {
  format: choiceField(formatNames, "bf16"),
  engine: choiceField(["auto", "wasm", "gpu", "reference"], "auto"),
};
