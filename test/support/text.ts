import fc, { type Arbitrary } from "fast-check";

/** Characters with a special meaning in text formats, terminals and spreadsheets. */
const awkward = [
  ..."\u0000\u0007\b\t\n\r\u001b\u007f\u0085\u00a0",
  ..."\"'\\,;<>&={}[]`$%|-+@#",
  // Changes of direction, joiners, ends of lines and paragraphs, a mark of byte order.
  ..."\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\ufffe\uffff",
];

/**
 * Any text, including lone surrogates, which `fc.string({ unit: "binary" })` does not produce; it also takes 7 s to
 * list all code points.
 */
export const anyText: Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x10_ffff }).map((point) => String.fromCodePoint(point)),
      fc.integer({ min: 0xd800, max: 0xdfff }).map((half) => String.fromCharCode(half)),
      fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
      fc.constantFrom(...awkward),
    ),
    { maxLength: 40 },
  )
  .map((characters) => characters.join(""));
