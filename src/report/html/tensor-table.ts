import { moduleOf } from "../../lens/module.js";
import { printable } from "../../lens/printable.js";
import { count } from "../numbers.js";
import { safe, section } from "./parts.js";

/** A column of numbers: its heading, and how they are shown. */
export interface NumberColumn {
  readonly heading: string;
  /** `whole`: whole percents. */
  readonly as: "count" | "percent" | "whole" | "ratio";
}

/** What the script shows: columns of texts, and for each case columns of numbers. */
export interface TensorData {
  readonly columns: readonly { readonly heading: string; readonly as: string }[];
  readonly names: readonly string[];
  readonly kinds: readonly string[];
  readonly shapes: readonly string[];
  readonly cases: readonly (readonly (readonly (number | null)[])[])[];
}

/** A tensor by name and shape, and a row of numbers for each case. */
export interface TensorRow {
  readonly name: string;
  readonly shape: readonly number[];
  /** What the shape is of, such as a format; empty for nothing. */
  readonly note?: string;
  readonly cases: readonly (readonly (number | null)[])[];
}

/** Of arrays that were given to the library. */
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

/** Nine digits of a share are enough to sort by, and half the text; what is not quite all stays so. */
function brief(x: number | null): number | null {
  if (x === null || Number.isInteger(x)) return x;
  const short = Number(x.toPrecision(9));
  return Number.isInteger(short) ? x : short;
}

/** Which case is shown, wherever that is asked; all of them go together. The script shows it where there are several. */
export function chooser(labels: readonly string[]): string {
  const options = labels.map((label, i) => `<option value="${i}">${safe(label)}</option>`).join("");
  return `<div hidden><label>Stored as<select class="case">${options}</select></label></div>`;
}

/** The table's frame: its rows come from the script. */
export function tensorSection({ columns, names, kinds }: TensorData, choose: string, note: string): string {
  const present = [...new Set(kinds)].sort();
  const options = present.map((kind) => `<option>${safe(kind)}</option>`).join("");
  const widths = columns.map(
    (_, i) => `<col style="width:${i === 0 ? 24 : i < 3 ? 8 : 60 / (columns.length - 3)}%">`,
  );
  const heads = columns.map(
    ({ heading }) => `<th scope="col"><button type="button">${safe(heading)}</button></th>`,
  );
  return section(
    `${count(names.length)} ${names.length === 1 ? "tensor" : "tensors"}`,
    `<p class="hint">${note === "" ? "" : `${safe(note)} `}A click on a heading sorts by it, a second one the other way round.</p>
<div class="controls">
<label>Name contains<input id="filter" type="search" autocomplete="off" spellcheck="false"></label>
<label>Module<select id="kind"><option value="">all</option>${options}</select></label>
${choose}
<output id="shown" for="filter kind"></output>
</div>
<noscript><p>The rows of this table need JavaScript; --csv writes them to a file.</p></noscript>
<div class="tensors" id="tensors" tabindex="0" role="region" aria-label="Tensors">
<table id="table"><colgroup>${widths.join("")}</colgroup><thead><tr>${heads.join("")}</tr></thead><tbody id="rows"></tbody></table>
</div>
<p id="unprinted"></p>`,
  );
}
