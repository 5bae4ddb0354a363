import { moduleOf } from "../lens/module.js";
import { printable } from "../lens/printable.js";

/** The tensors of a result for a page's table. */

/** A column of numbers: heading and format. */
export interface NumberColumn {
  readonly heading: string;
  /** `whole`: whole percents; `atMost`: an upper bound of a share. */
  readonly as: "count" | "percent" | "whole" | "atMost" | "ratio";
}

/** The data of the page's script: text columns, and number columns for each case. */
export interface TensorData {
  readonly columns: readonly { readonly heading: string; readonly as: string }[];
  readonly names: readonly string[];
  readonly kinds: readonly string[];
  readonly shapes: readonly string[];
  readonly cases: readonly (readonly (readonly (number | null)[])[])[];
}

/** A tensor's name and shape, and a row of numbers for each case. */
export interface TensorRow {
  readonly name: string;
  readonly shape: readonly number[];
  /** A remark shown with the shape, such as a format; may be empty. */
  readonly note?: string;
  readonly cases: readonly (readonly (number | null)[])[];
}

/** For arrays passed to the library without a name. */
const unnamed = "(no name)";

export function tensorData(columns: readonly NumberColumn[], rows: readonly TensorRow[]): TensorData {
  const cases = rows[0]?.cases.length ?? 1;
  return {
    columns: [...["tensor", "module", "shape"].map((heading) => ({ heading, as: "text" })), ...columns],
    names: rows.map(({ name }) => (name === "" ? unnamed : printable(name, 500))),
    kinds: rows.map(({ name }) => moduleOf(name).kind),
    shapes: rows.map(({ shape, note }) => [shape.join(" × "), note].filter(Boolean).join(" ")),
    cases: Array.from({ length: cases }, (_, caseIndex) =>
      columns.map((_, column) => rows.map((row) => brief(row.cases[caseIndex]?.[column] ?? null))),
    ),
  };
}

/** Nine digits of a share are enough for sorting and take half the text; only exact 1 becomes 1. */
function brief(x: number | null): number | null {
  if (x === null || Number.isInteger(x)) return x;
  const short = Number(x.toPrecision(9));
  return Number.isInteger(short) ? x : short;
}
