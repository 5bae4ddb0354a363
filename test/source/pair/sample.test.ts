import { expect, test } from "vitest";
import { decode } from "../../../src/format/encode.js";
import { format } from "../../../src/format/registry.js";
import { FileReader, fileIdentity } from "../../../src/source/file-reader.js";
import { sampleNumbers, sampleRange } from "../../../src/source/pair/sample.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const files = new FileReader();
const bf16 = format("bf16");
const elements = 4096;
const below = seeded(5);
const codes = Uint16Array.from({ length: elements }, () => below(2 ** 16));
const moved = codes.map((code) => (below(5) === 0 ? code + 1 : code));
const numbers = (data: Uint16Array) => Float64Array.from(data, (code) => decode(code, bf16));
/** Bytes of something else before the codes. */
const position = 6;

const stored = (name: string, data: Uint16Array | Float32Array, dtype: string) => {
  const bytes = new Uint8Array(position + data.byteLength);
  bytes.set(new Uint8Array(data.buffer), position);
  return { file: fileIdentity(put(folder, name, bytes)), position, dtype };
};

test("codes give what their numbers give", () => {
  // Codes of NaN are sent as they are stored, so that only numbers can be told from them.
  const finite = (data: Uint16Array) => data.map((code) => ((code & 0x7f80) === 0x7f80 ? 0x3f80 : code));
  const [a, b] = [finite(codes), finite(moved)];
  const range = { before: stored("a", a, "BF16"), after: stored("b", b, "BF16"), elements, compared: "bf16" };
  const found = sampleRange(files, range);
  expect(found).toEqual(sampleNumbers(numbers(a), numbers(b), bf16));
  expect(found.changed).toBeGreaterThan(elements / 8);
  files.close();
});

test("fp32 on one side is rounded before it is compared", () => {
  const finite = codes.map((code) => ((code & 0x7f80) === 0x7f80 ? 0x3f80 : code));
  // Less than half an ulp more.
  const wide = Float32Array.from(numbers(finite), (x) => x * (1 + 2 ** -12));
  const range = {
    before: stored("c", finite, "BF16"),
    after: stored("d", wide, "F32"),
    elements,
    compared: "bf16",
  };
  const found = sampleRange(files, range);
  expect(found).toEqual(sampleNumbers(numbers(finite), Float64Array.from(wide), bf16));
  expect(found.changed).toBe(0);
  files.close();
});
