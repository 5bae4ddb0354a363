import { describe, expect, it } from "vitest";
import { diff } from "../../../src/diff.js";
import { dequantize, quantize } from "../../../src/format/block/quantize.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { expectValid } from "../../support/schemas.js";
import { gaussian } from "../../support/values.js";
import { put, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const shape = [140, 50];
const length = shape[0] * shape[1];

/** Two checkpoints, of which many numbers went a little and one went far. */
function checkpoints() {
  const normal = gaussian(5);
  const before = Float32Array.from({ length }, () => 0.02 * normal());
  const after = before.map((x, i) => (i % 3 === 0 ? x : x + 1e-3 * normal()));
  after[1234] = 0.5;
  return { before, after };
}

describe("two checkpoints as a receiver has them that quantizes both", () => {
  it.each(["mxfp8-e4m3", "mxfp4:rceil", "nvfp4", "nvfp4:transformer-engine", "fp8-128x128", "nvfp4-16x16"])(
    "%s: codes, numbers and scales are those of whole tensors quantized and compared",
    async (view) => {
      const numbers = checkpoints();
      const paths = Object.entries(numbers).map(([side, data]) => {
        const file = encodeSafetensors([{ name: "w", dtype: "F32", shape, data }]);
        return put(folder, `${side}-${view.replace(":", "-")}.safetensors`, file);
      });
      const result = await diff(paths[0], paths[1], { view });
      expectValid("diff", result);
      const [a, b] = [quantize(numbers.before, shape, view), quantize(numbers.after, shape, view)];
      const [p, q] = [dequantize(a), dequantize(b)];
      const count = (test: (i: number) => boolean) => p.filter((_, i) => test(i)).length;
      // +0 and -0 are one by number and two by code.
      const magnitude = 2 ** (a.format.element.bits - 1);
      const isZero = (code: number) => code % magnitude === 0;
      const sameCode = (i: number) => a.codes[i] === b.codes[i] || (isZero(a.codes[i]) && isZero(b.codes[i]));
      expect(result.totals).toMatchObject({
        elements: length,
        unchanged: count(sameCode),
        bytesChanged: count((i) => a.codes[i] !== b.codes[i]),
        hidden: count((i) => sameCode(i) && numbers.before[i] !== numbers.after[i]),
      });
      expect(result.totals.shared).toMatchObject({
        codes: result.totals.bytesChanged,
        blocks: a.scales.length,
        blockScales: a.scales.filter((scale, s) => scale !== b.scales[s]).length,
        tensors: a.tensorScale === null ? 0 : 1,
        tensorScales: a.tensorScale === b.tensorScale ? 0 : 1,
        numbers: count((i) => p[i] !== q[i]),
      });
      expect(result.tensors[0].formats.compared).toBe(a.format.name);
      const { element, scale } = a.format;
      const scaleBytes = (a.scales.length * scale.bits) / 8 + (a.tensorScale === null ? 0 : 4);
      expect(result.delta.fullBytes).toBe((length * element.bits) / 8 + scaleBytes);
    },
  );
});

it.each([
  // 128 codes of 8 bits in 4 blocks, whose scales have 8 bits.
  ["mxfp8-e4m3", { blocks: 4, tensors: 0 }, 128 + 4],
  // 128 codes of 4 bits in 8 blocks, and the scale of the tensor in 4 bytes.
  ["nvfp4", { blocks: 8, tensors: 1 }, 64 + 8 + 4],
])("%s: a tensor without weights adds nothing", async (view, shared, fullBytes) => {
  const file = encodeSafetensors([
    { name: "empty", dtype: "F32", shape: [0, 48], data: new Float32Array(0) },
    { name: "w", dtype: "F32", shape: [4, 32], data: new Float32Array(128).fill(1) },
  ]);
  const path = put(folder, `empty-${view}.safetensors`, file);
  const result = await diff(path, path, { view });
  expectValid("diff", result);
  expect(result.totals).toMatchObject({ elements: 128, unchanged: 128, shared });
  expect(result.tensors.find(({ name }) => name === "empty")).toMatchObject({
    elements: 0,
    shared: { blocks: 0 },
  });
  expect(result.delta).toMatchObject({ elements: 128, changed: 0, fullBytes });
});
