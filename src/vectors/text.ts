import { settingsOf, type VectorSettings } from "./settings.js";
import { type Column, wordsOf } from "./subject.js";
import type { VectorTable } from "./table.js";

export const textForms = ["hex", "testfloat", "csv", "json"] as const;
export type TextForm = (typeof textForms)[number];

export const vectorsSchema = "precision-lens-vectors/1";

const digits = new Uint8Array(256 * 2);
for (let byte = 0; byte < 256; byte++) {
  for (const [i, sign] of [...byte.toString(16).padStart(2, "0")].entries())
    digits[2 * byte + i] = sign.charCodeAt(0);
}

const encoder = new TextEncoder();

/** How a code and a row are set in a form. */
interface Style {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly beginRow: string;
  readonly endRow: string;
}

const styles: Readonly<Record<TextForm, Style>> = {
  hex: { before: "", between: " ", after: "", beginRow: "", endRow: "\n" },
  testfloat: { before: "", between: " ", after: "", beginRow: "", endRow: "\n" },
  csv: { before: "0x", between: ",", after: "", beginRow: "", endRow: "\n" },
  // A row ends with the comma before the next one; the last one is taken off by the end of the table.
  json: { before: '"', between: ",", after: '"', beginRow: "[", endRow: "],\n" },
};

/** A table as text, in pieces. */
export function* textOf(table: VectorTable, form: TextForm, settings: VectorSettings): Generator<Uint8Array> {
  const { columns } = table;
  const head = headOf(columns, form, settings);
  if (head !== "") yield encoder.encode(head);
  const write = rowWriter(columns, styles[form]);
  // JSON has no comma after the last row: each piece but the first begins with that of the piece before.
  let first = true;
  for (const words of table.chunks()) {
    const piece = write(words);
    if (form === "json") {
      if (!first) yield encoder.encode(",\n");
      yield piece.subarray(0, piece.length - 2);
    } else yield piece;
    first = false;
  }
  if (form === "json") yield encoder.encode("\n]}\n");
}

function headOf(columns: readonly Column[], form: TextForm, settings: VectorSettings): string {
  const about = { schema: vectorsSchema, ...settingsOf(settings) };
  switch (form) {
    case "testfloat":
      return "";
    case "hex":
      return `# ${JSON.stringify({ ...about, columns })}\n`;
    case "csv":
      return `# ${JSON.stringify({ ...about, columns })}\n${columnNames(columns).join()}\n`;
    case "json":
      return `${JSON.stringify({ ...about, columns }).slice(0, -1)},"cases":[\n`;
  }
}

/** A name for each code of a row: x0, x1, ... where there are several. */
function columnNames(columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, width }) =>
    width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}${i}`),
  );
}

/** Hexadecimal digits of each code of a row, those of more than 32 bits of two words. */
function digitsOf(columns: readonly Column[]): number[] {
  return columns.flatMap(({ bits, width }) => Array.from({ length: width }, () => Math.ceil(bits / 4)));
}

function rowWriter(columns: readonly Column[], style: Style): (words: Uint32Array) => Uint8Array {
  const stride = wordsOf(columns);
  const lengths = digitsOf(columns);
  const [before, between, after, beginRow, endRow] = [
    style.before,
    style.between,
    style.after,
    style.beginRow,
    style.endRow,
  ].map((text) => encoder.encode(text));
  const codesLength = lengths.reduce((sum, n) => sum + n + before.length + after.length, 0);
  const rowLength = beginRow.length + codesLength + between.length * (lengths.length - 1) + endRow.length;
  // All that does not change from row to row is written once.
  const template = new Uint8Array(rowLength);
  const places: number[] = [];
  let at = 0;
  const put = (bytes: Uint8Array) => {
    template.set(bytes, at);
    at += bytes.length;
  };
  put(beginRow);
  for (const [i, length] of lengths.entries()) {
    if (i > 0) put(between);
    put(before);
    places.push(at);
    at += length;
    put(after);
  }
  put(endRow);
  return (words) => {
    const rows = words.length / stride;
    const text = new Uint8Array(rows * rowLength);
    let word = 0;
    for (let row = 0; row < rows; row++) {
      const start = row * rowLength;
      text.set(template, start);
      for (let i = 0; i < places.length; i++) {
        let to = start + places[i];
        if (lengths[i] === 16) {
          writeHex(words[word++], 8, text, to);
          to += 8;
          writeHex(words[word++], 8, text, to);
        } else writeHex(words[word++], lengths[i], text, to);
      }
    }
    return text;
  };
}

function writeHex(code: number, length: number, text: Uint8Array, at: number): void {
  let rest = code;
  let end = at + length;
  for (; end - at >= 2; end -= 2) {
    const byte = rest & 0xff;
    text[end - 2] = digits[2 * byte];
    text[end - 1] = digits[2 * byte + 1];
    rest >>>= 8;
  }
  if (end > at) text[at] = digits[2 * (rest & 0xf) + 1];
}
