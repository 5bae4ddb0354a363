import { count } from "../numbers.js";
import type { TensorData } from "../tensor-data.js";
import { safe, section } from "./parts.js";

/** The chooser of a case. All choosers of a page are synchronized; the script shows them if there are several cases. */
export function chooser(labels: readonly string[]): string {
  const options = labels.map((label, i) => `<option value="${i}">${safe(label)}</option>`).join("");
  return `<div hidden><label>Stored as<select class="case">${options}</select></label></div>`;
}

/** The table's frame; the script adds the rows. */
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
