import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { dtypes } from "../../../src/source/safetensors/dtype.js";
import { parseHeader } from "../../../src/source/safetensors/header.js";
import { openSafetensors } from "../../../src/source/safetensors/stored-tensor.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { entry, expectSentence, memorySource, put, rawFile, temporaryFolder } from "../support.js";

const whole = "a whole number from 0 to 2^53 - 1";
const f32 = (shape: string, offsets: string) => entry("F32", shape, offsets);
const one = (text: string, dataBytes = 0) => rawFile(`{"w":${text}}`, dataBytes);

/** What is wrong, the file, what is expected, what is found. */
const hostile: readonly [string, Uint8Array, string, string][] = [
  ["an empty file", new Uint8Array(), "a safetensors file", "an empty file"],
  ["a file of 7 bytes", new Uint8Array(7), "the 8 bytes of a header length", "a file of 7 bytes"],
  ["a header of 0 bytes", new Uint8Array(8), "a header of at least 2 bytes", "a header length of 0"],
  ["a header of 1 byte", rawFile("{"), "a header of at least 2 bytes", "a header length of 1"],
  [
    "a header past the file",
    rawFile("{}", 0, 3n),
    "a header of 3 bytes, as the file says",
    "a file that is cut off: 10 of at least 11 bytes",
  ],
  [
    "a header of over 100 MB",
    rawFile("{}", 0, 100_000_001n),
    "a header of at most 100000000 bytes",
    "a header length of 100000001",
  ],
  [
    "a header of 2^64 - 1 bytes",
    rawFile("{}", 0, 2n ** 64n - 1n),
    "a header of at most 100000000 bytes",
    "a header length of 18446744073709552000",
  ],
  ["invalid UTF-8", rawFile(Uint8Array.of(0x7b, 0xff, 0x7d)), "JSON in UTF-8", "bytes that are not UTF-8"],
  [
    "UTF-8 cut off",
    rawFile(Uint8Array.of(0x7b, 0x22, 0xe2, 0x82)),
    "JSON in UTF-8",
    "bytes that are not UTF-8",
  ],
  ["a byte order mark", rawFile("\ufeff{}"), "an object at the top level of its JSON", '"\\ufeff"'],
  ["not JSON", rawFile("{weights}"), "a string at the top level of its JSON", "weights"],
  ["JSON cut off", rawFile('{"w":'), 'an object at "w"', "the end of the text"],
  ["a trailing comma", rawFile("{},"), "the end of the text at the top level of its JSON", '","'],
  ["JSON that is an array", rawFile("[1,2]"), "an object at the top level of its JSON", "an array"],
  ["JSON that is a string", rawFile('"{}"'), "an object at the top level of its JSON", "a string"],
  ["JSON that is null", rawFile("null"), "an object at the top level of its JSON", "null"],
  ["an entry that is a number", one("4"), 'an object at "w"', "4"],
  ["an entry that is null", one("null"), 'an object at "w"', "null"],
  ["an entry that is an array", one("[]"), 'an object at "w"', "an array"],
  [
    "deep nesting of objects",
    rawFile('{"a":'.repeat(10 ** 6)),
    'at most 64 levels of nesting at "a" "a" "a" "a"',
    "more",
  ],
  ["deep nesting of arrays", rawFile(`{"a":${"[".repeat(10 ** 6)}`), 'an object at "a"', "an array"],
  [
    "deep nesting in a field that is not read",
    one(`{"x":${"[".repeat(10 ** 6)}`),
    'at most 64 levels of nesting at "w" "x" [0] [0]',
    "more",
  ],
  [
    "no dtype",
    one('{"shape":[1],"data_offsets":[0,4]}', 4),
    'dtype, shape and data_offsets of tensor "w"',
    "no dtype",
  ],
  [
    "no shape",
    one('{"dtype":"F32","data_offsets":[0,4]}', 4),
    'dtype, shape and data_offsets of tensor "w"',
    "no shape",
  ],
  [
    "no data_offsets",
    one('{"dtype":"F32","shape":[1]}', 4),
    'dtype, shape and data_offsets of tensor "w"',
    "no data_offsets",
  ],
  ["a dtype that is a number", one('{"dtype":32}'), 'a string at "w" "dtype"', "32"],
  ["a dtype of no name", one(entry("F7", "[]", "[0,0]")), 'a safetensors dtype for tensor "w"', '"F7"'],
  [
    "a dtype in lower case",
    one(entry("f32", "[1]", "[0,4]"), 4),
    'a safetensors dtype for tensor "w"',
    '"f32"',
  ],
  [
    "a dtype named after Object.prototype",
    one(entry("constructor", "[]", "[0,0]")),
    'a safetensors dtype for tensor "w"',
    '"constructor"',
  ],
  ["a shape that is a number", one(f32("4", "[0,4]")), 'an array at "w" "shape"', "4"],
  ["a shape that is an object", one(f32("{}", "[0,4]")), 'an array at "w" "shape"', "an object"],
  ["a negative size", one(f32("[2,-2]", "[0,4]")), `${whole} at "w" "shape" [1]`, "-2"],
  ["a size of minus zero", one(f32("[-0]", "[0,0]")), `${whole} at "w" "shape" [0]`, "-0"],
  ["a fractional size", one(f32("[1.5]", "[0,4]")), `${whole} at "w" "shape" [0]`, "1.5"],
  ["a size with an exponent", one(f32("[1e0]", "[0,4]")), `${whole} at "w" "shape" [0]`, "1e0"],
  ["a size that is a string", one(f32('["1"]', "[0,4]")), `${whole} at "w" "shape" [0]`, "a string"],
  [
    "an unsafe size",
    one(f32("[9007199254740992]", "[0,4]")),
    `${whole} at "w" "shape" [0]`,
    "9007199254740992",
  ],
  [
    "a size of a thousand digits",
    one(f32(`[${"9".repeat(1000)}]`, "[0,4]")),
    `${whole} at "w" "shape" [0]`,
    `${"9".repeat(120)}…`,
  ],
  [
    "65 dimensions",
    one(f32(`[${Array(65).fill(1)}]`, "[0,4]"), 4),
    'at most 64 numbers at "w" "shape" [64]',
    "more",
  ],
  [
    "a shape whose product overflows",
    one(f32("[4294967296,4294967296]", "[0,4]"), 4),
    'a shape of fewer than 2^53 bits for tensor "w"',
    "F32 [4294967296, 4294967296]",
  ],
  [
    "a shape that overflows on its way to zero",
    one(f32("[4294967296,4294967296,0]", "[0,0]")),
    'a shape of fewer than 2^53 bits for tensor "w"',
    "F32 [4294967296, 4294967296, 0]",
  ],
  [
    "more bits than can be counted",
    one(f32("[9007199254740991]", "[0,4]"), 4),
    'a shape of fewer than 2^53 bits for tensor "w"',
    "F32 [9007199254740991]",
  ],
  ["offsets that are null", one(f32("[1]", "null")), 'an array at "w" "data_offsets"', "null"],
  ["a negative offset", one(f32("[1]", "[-4,0]")), `${whole} at "w" "data_offsets" [0]`, "-4"],
  ["a fractional offset", one(f32("[1]", "[0,4.0]")), `${whole} at "w" "data_offsets" [1]`, "4.0"],
  [
    "an unsafe offset",
    one(f32("[1]", "[0,18446744073709551615]")),
    `${whole} at "w" "data_offsets" [1]`,
    "18446744073709551615",
  ],
  ["one offset", one(f32("[1]", "[0]")), 'data_offsets [begin, end] with begin <= end for tensor "w"', "[0]"],
  ["three offsets", one(f32("[1]", "[0,4,8]")), 'at most 2 numbers at "w" "data_offsets" [2]', "more"],
  [
    "offsets reversed",
    one(f32("[1]", "[4,0]"), 4),
    'data_offsets [begin, end] with begin <= end for tensor "w"',
    "[4, 0]",
  ],
  [
    "a range that does not match shape and dtype",
    one(f32("[2,3]", "[0,20]"), 20),
    '24 bytes for tensor "w" of F32 [2, 3]',
    "20 bytes",
  ],
  ["a scalar without data", one(f32("[]", "[0,0]")), '4 bytes for tensor "w" of F32 []', "0 bytes"],
  [
    "4-bit elements that fill no whole byte",
    one(entry("F4", "[3]", "[0,2]"), 2),
    '1.5 bytes for tensor "w" of F4 [3]',
    "2 bytes",
  ],
  [
    "ranges that overlap",
    rawFile(`{"a":${f32("[2]", "[0,8]")},"b":${f32("[2]", "[4,12]")}}`, 12),
    'tensor "b" to begin at byte 124, where the data before it ends',
    "byte 120 (they overlap)",
  ],
  [
    "the same range twice",
    rawFile(`{"a":${f32("[1]", "[0,4]")},"b":${f32("[1]", "[0,4]")}}`, 4),
    'tensor "b" to begin at byte 119, where the data before it ends',
    "byte 115 (they overlap)",
  ],
  [
    "a hole between ranges",
    rawFile(`{"a":${f32("[1]", "[0,4]")},"b":${f32("[1]", "[5,9]")}}`, 9),
    'tensor "b" to begin at byte 119, where the data before it ends',
    "byte 120 (a hole)",
  ],
  [
    "a hole before the first range",
    one(f32("[1]", "[4,8]"), 8),
    'tensor "w" to begin at byte 62, where the data before it ends',
    "byte 66 (a hole)",
  ],
  [
    "a range that leaves the file",
    one(f32("[4]", "[0,16]"), 15),
    "all bytes that the header speaks of",
    "a file that is cut off: 78 of 79 bytes",
  ],
  [
    "bytes after the last range",
    one(f32("[1]", "[0,4]"), 5),
    "66 bytes, header and tensors together",
    "a file of 67 bytes",
  ],
  ["data and no tensor", rawFile("{}", 1), "10 bytes, header and tensors together", "a file of 11 bytes"],
  [
    "a name twice",
    rawFile(`{"w":${f32("[1]", "[0,4]")},"w":${f32("[1]", "[4,8]")}}`, 8),
    "every key once at the top level of its JSON",
    '"w" twice',
  ],
  [
    "a name twice, once escaped",
    rawFile(`{"w":${f32("[1]", "[0,4]")},"\\u0077":${f32("[1]", "[4,8]")}}`, 8),
    "every key once at the top level of its JSON",
    '"w" twice',
  ],
  [
    "__proto__ twice",
    rawFile(`{"__proto__":${f32("[1]", "[0,4]")},"__proto__":${f32("[1]", "[4,8]")}}`, 8),
    "every key once at the top level of its JSON",
    '"__proto__" twice',
  ],
  [
    "a field twice",
    one('{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}', 4),
    'every key once at "w"',
    '"dtype" twice',
  ],
  ["metadata that is null", rawFile('{"__metadata__":null}'), 'an object at "__metadata__"', "null"],
  ["metadata that is an array", rawFile('{"__metadata__":[]}'), 'an object at "__metadata__"', "an array"],
  [
    "metadata that holds a number",
    rawFile('{"__metadata__":{"lr":1}}'),
    'a string at "__metadata__" "lr"',
    "1",
  ],
  [
    "metadata twice",
    rawFile('{"__metadata__":{},"__metadata__":{}}'),
    "every key once at the top level of its JSON",
    '"__metadata__" twice',
  ],
  [
    "a name with a line break and a terminal escape",
    rawFile(`{"a\\n\\u001b[2J":${f32("[1]", "[0,8]")}}`, 8),
    '4 bytes for tensor "a\\n\\u001b[2J" of F32 [1]',
    "8 bytes",
  ],
  [
    "a control character in a string",
    rawFile('{"a\nb":1}'),
    "a string without control characters at the top level of its JSON",
    '"a\\n"',
  ],
  [
    "a string with an invalid escape",
    rawFile('{"a\\x":1}'),
    "a string with valid escapes at the top level of its JSON",
    '"a\\\\x"',
  ],
  [
    "a name of a million characters",
    rawFile(`{"${"n".repeat(10 ** 6)}":1}`),
    `an object at "${"n".repeat(120)}…"`,
    "1",
  ],
];

describe("one sentence for", () => {
  const folder = temporaryFolder();

  test.each(hostile)("%s", async (_, bytes, expected, found) => {
    const path = put(folder, "hostile.safetensors", bytes);
    await expectSentence(openCheckpoint(path), path, expected, found);
  });

  test("many kinds", () => expect(new Set(hostile.map(([kind]) => kind)).size).toBeGreaterThan(60));
});

describe("takes", () => {
  const open = (bytes: Uint8Array) => openSafetensors(memorySource("m", bytes));

  test("no tensors at all", async () => {
    const { tensors, metadata } = await open(rawFile("{}"));
    expect([tensors.size, metadata.size]).toEqual([0, 0]);
  });

  test("white space around, padding after, and fields that it does not know", async () => {
    const text = ` {"w" :\t{"dtype":"F32","x":{"y":[null,-1e-5]},"shape":[ ],"data_offsets":[0,4]}}\r\n   `;
    const { tensors } = await open(rawFile(text, 4));
    expect(tensors.get("w")).toMatchObject({ shape: [], elements: 1 });
  });

  test("scalars and empty tensors, wherever these lie", async () => {
    const text = `{"b":${f32("[]", "[4,8]")},"none":${f32("[3,0]", "[4,4]")},"a":${f32("[1]", "[0,4]")},"z":${f32("[0]", "[8,8]")}}`;
    const { tensors } = await open(rawFile(text, 8));
    expect([...tensors.keys()]).toEqual(["b", "none", "a", "z"]);
    expect([...tensors.values()].map(({ elements }) => elements)).toEqual([1, 0, 1, 0]);
    const none = new Float32Array();
    await tensors.get("none")!.values!.read(0, none);
  });

  test("names that mean something to JavaScript, and none", async () => {
    const names = ["__proto__", "constructor", "toString", "", "length", "a/b\n"];
    const data = Float32Array.of(1);
    const { tensors } = await open(
      encodeSafetensors(names.map((name) => ({ name, dtype: "F32", shape: [1], data }))),
    );
    expect([...tensors.keys()]).toEqual(names);
    expect(tensors.get("valueOf")).toBeUndefined();
  });

  test("metadata of any keys", async () => {
    const { metadata } = await open(rawFile('{"__metadata__":{"__proto__":"p","lr":"1e-5"}}'));
    expect([...metadata]).toEqual([
      ["__proto__", "p"],
      ["lr", "1e-5"],
    ]);
  });

  test("every dtype of the format, and reads the floats", async () => {
    const list = [...dtypes.values()];
    expect(list).toHaveLength(22);
    const { tensors } = await open(
      encodeSafetensors(
        list.map(({ name, bits }) => ({ name, dtype: name, shape: [2, 4], data: new Uint8Array(bits) })),
      ),
    );
    const readable = [...tensors.values()].filter(({ values }) => values !== null);
    expect(readable.map(({ name }) => name)).toEqual(
      list.map(({ name }) => name).filter((name) => /^(?:F\d|BF)/.test(name)),
    );
  });

  test("a header alone, as a browser would read it", () => {
    const bytes = one(f32("[1]", "[0,4]"), 4);
    const { tensors } = parseHeader(bytes.subarray(0, 62), bytes.length, "w");
    expect(tensors.get("w")).toMatchObject({ begin: 62, end: 66, elements: 1, shape: [1] });
  });
});

test("write pads its header to 8 bytes and stores metadata", () => {
  const data = Uint16Array.of(0x3f80);
  const bytes = encodeSafetensors([{ name: "w", dtype: "BF16", shape: [1], data }], { lr: "1" });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  expect(new TextDecoder().decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(
    '{"__metadata__":{"lr":"1"},"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}',
  );
  expect([...bytes.subarray(8 + length)]).toEqual([0x80, 0x3f]);
});
