import { expect, test } from "vitest";
import { comparerOf, provenKernel } from "../../../src/engine/wasm/difference/comparison.js";
import { codeComparer } from "../../../src/lens/difference/difference-codes.js";
import { FileReader, fileIdentity } from "../../../src/source/file-reader.js";
import { InputError } from "../../../src/source/input-error.js";
import { RangeComparison } from "../../../src/source/pair/range.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();

test("of a range that fails, nothing is counted in the next one", async () => {
  const elements = 300_001;
  const below = seeded(3);
  const codes = Uint16Array.from({ length: elements }, () => below(0x7f80));
  const moved = codes.map((code) => (below(5) === 0 ? code ^ 1 : code));
  const [before, after] = [codes, moved].map((content, i) => ({
    file: fileIdentity(put(folder, `${i}`, new Uint8Array(content.buffer))),
    position: 0,
    dtype: "BF16",
  }));
  const range = { before, after, elements, compared: "bf16" };
  const files = new FileReader();
  const comparison = new RangeComparison(files, comparerOf(await provenKernel()));
  // Its last piece is not there, the ones before are.
  expect(() => comparison.compare({ ...range, elements: elements + 1 })).toThrow(InputError);
  const expected = new RangeComparison(files, codeComparer()).compare(range);
  expect(comparison.compare(range).toJSON()).toEqual(expected.toJSON());
  files.close();
});
