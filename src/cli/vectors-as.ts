import { encodeHeader } from "../source/safetensors/write.js";
import { bytesOfCode, columnBytes } from "../vectors/binary.js";
import { settingsOf, type VectorSettings } from "../vectors/settings.js";
import { wordsOf } from "../vectors/subject.js";
import { type VectorTable, vectorTable } from "../vectors/table.js";
import { type TextForm, textOf, vectorsSchema } from "../vectors/text.js";

export type VectorsForm = TextForm | "safetensors";

/** A table of vectors in an output form, in pieces. @throws RangeError for settings that exclude each other. */
export function vectorPieces(settings: VectorSettings, form: VectorsForm): Iterable<Uint8Array> {
  const table = vectorTable(settings, form === "testfloat");
  return form === "safetensors" ? safetensorsOf(table, settings) : textOf(table, form, settings);
}

/** One tensor per column, written in order: the table is generated once to count it and once per column. */
function* safetensorsOf(table: VectorTable, settings: VectorSettings): Generator<Uint8Array> {
  const { columns } = table;
  let words = 0;
  for (const chunk of table.chunks()) words += chunk.length;
  const rows = words / wordsOf(columns);
  const layout = columns.map((column) => ({
    name: column.name,
    dtype: `U${8 * bytesOfCode(column)}`,
    shape: column.width === 1 ? [rows] : [rows, column.width],
    bytes: rows * column.width * bytesOfCode(column),
  }));
  yield encodeHeader(layout, {
    vectors: JSON.stringify({ schema: vectorsSchema, ...settingsOf(settings), columns }),
  });
  for (const index of columns.keys()) {
    for (const chunk of table.chunks()) yield columnBytes(chunk, columns, index);
  }
}
