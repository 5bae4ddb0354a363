import { describe, expect, it } from "vitest";
import {
  blockScale,
  blockScaleLanes,
  elementsOf,
  tensorScale,
} from "../../../src/engine/lane/scale-rules.js";
import type { FunctionWriter } from "../../../src/engine/wasm/assembler/function.js";
import { moduleBytes } from "../../../src/engine/wasm/assembler/module.js";
import { webAssembly } from "../../../src/engine/wasm/platform.js";
import { type BlockFormat, blockFormat } from "../../../src/format/block/block-format.js";
import { codesUnder, dequantizeBlock } from "../../../src/format/block/quantize-block.js";
import { noTensorScale } from "../../../src/format/block/scale-rule.js";
import { decode } from "../../../src/format/encode.js";
import { random32 } from "../../support/bits.js";
import { sized } from "../../support/tier.js";

/** Numbers in each row; rows of the kernel below. */
const room = 2 ** 12;
const names = ["largest", "tensor", "x", "scale", "element", "weight"] as const;
const [largestAt, tensorAt, xAt, scaleAt, elementAt, weightAt] = names.map((_, row) => 4 * room * row);

/** Runs the rules of a format on lanes: of each place, the scale, and what becomes of x under it. */
async function onLanes(blocks: BlockFormat) {
  const size = { pages: 2, shared: false };
  const write = (k: FunctionWriter) => {
    k.loop(k.i32.constant(0), k.parameter(0, "i32"), 16, (at) => {
      const tensor = tensorScale(k, () => k.load("v128", at, tensorAt), blocks);
      const scale = blockScale(k, k.load("v128", at, largestAt), blocks, tensor);
      const by = blockScaleLanes(k, scale, blocks, tensor);
      const quotients = by.scaled(k.load("v128", at, xAt));
      const element = elementsOf(k, quotients, by, blocks, "nearest-even", () => k.i32x4.constant(0));
      k.store("v128", scale, at, scaleAt);
      k.store("v128", element, at, elementAt);
      k.store("v128", k.f32x4.mul(element, by.step), at, weightAt);
    });
  };
  const memory = new webAssembly!.Memory({ initial: size.pages, maximum: size.pages });
  const module = await webAssembly!.compile(moduleBytes(size, [{ name: "f", parameters: ["i32"], write }]));
  const { exports } = await webAssembly!.instantiate(module, { host: { memory } });
  const row = (offset: number) => new Float32Array(memory.buffer, offset, room);
  return (triples: readonly Triple[]) => {
    for (const [i, offset] of [largestAt, tensorAt, xAt].entries())
      row(offset).set(triples.map((triple) => triple[i]));
    exports.f(4 * room);
    return { scales: row(scaleAt), elements: row(elementAt), weights: row(weightAt) };
  };
}

/** The largest magnitude of a block and of its tensor, and a number of the block. */
type Triple = readonly [largest: number, tensor: number, x: number];

/** The first triple on which the lanes do other than the specification, or null. */
async function firstDifference(name: string, triples: readonly Triple[]) {
  const blocks = blockFormat(name);
  const run = await onLanes(blocks);
  for (let from = 0; from < triples.length; from += room) {
    const some = triples.slice(from, from + room);
    const { scales, elements, weights } = run(some);
    for (const [i, [largest, ofTensor, x]] of some.entries()) {
      const tensor = blocks.rule.tensorScale?.(ofTensor, blocks) ?? noTensorScale;
      const scale = blocks.rule.blockScale(largest, blocks, tensor);
      const [code] = codesUnder(scale, [x], blocks, tensor);
      const [weight] = dequantizeBlock({ codes: [code], scale }, blocks, tensor.stored);
      const expected = [scale, decode(code, blocks.element), weight];
      const found = [scales[i], elements[i], weights[i]];
      const same = expected.every((number, n) => Object.is(number, found[n]));
      if (!same) return { largest, ofTensor, x, expected, found };
    }
  }
  return null;
}

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);
function fromBits(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** The fp32 numbers around one: itself and two neighbours on each side, none negative. */
function around(x: number): number[] {
  float[0] = x;
  const [bits] = word;
  return [-2, -1, 0, 1, 2].map((by) => fromBits(Math.max(0, bits + by)));
}

const formats = [
  ...["floor", "ceil", "rceil", "even", "compressed-tensors"].map((rule) => `mxfp8-e4m3:${rule}`),
  ...["mxfp8-e5m2:rceil", "mxfp6-e2m3", "mxfp4:even", "nvfp4", "nvfp4:transformer-engine"],
  ...["nvfp4-16x16", "nvfp4-16x16:torchao", "fp8-128x128", "fp8-128x128:power-of-two"],
];

describe.each(formats)("%s on lanes", (name) => {
  const blocks = blockFormat(name);

  it("scales of every size of block and tensor: thresholds of the rules, zero, both ends, NaN and Inf", async () => {
    const powers = sized({ quick: [-149, -127, -126, 5, 127], full: exponents() });
    const ends = [0, 2 ** -149, Infinity, NaN];
    const significands = [1, 1.5, 1.75, 1.875, 1.9375, 448 / 256, blocks.element.maxFinite];
    const sizes = [...ends, ...powers.flatMap((e) => significands.flatMap((m) => around(m * 2 ** e)))];
    const tensors = (blocks.rule.tensorScale ? [...ends, 2 ** -126, 3e38, 0.0371] : [1]).map(Math.fround);
    const triples = tensors.flatMap((tensor) =>
      sizes.flatMap((largest): Triple[] =>
        [largest, -largest / 3, -0, 2 ** -149].map((x) => [largest, tensor, Math.fround(x)]),
      ),
    );
    expect(await firstDifference(name, triples)).toBeNull();
  });

  it("numbers at the midpoints of elements under scales that are no powers of two, and random bits", async () => {
    const random = random32(31);
    const midpoints = Array.from({ length: 2 ** (blocks.element.bits - 1) - 1 }, (_, code) => {
      const [a, b] = [code, code + 1].map((each) => decode(each, blocks.element));
      return (a + b) / 2;
    }).filter(Number.isFinite);
    const triples: Triple[] = [];
    while (triples.length < sized({ quick: 2 ** 11, full: 2 ** 18 })) {
      const largest = fromBits((random() >>> 1) % 0x7f80_0000);
      const tensor = Math.fround(largest * 2 ** (random() % 12));
      // A quotient near a midpoint, whose two roundings in fp64 and fp32 have to be as one.
      const ofTensor = blocks.rule.tensorScale?.(tensor, blocks) ?? noTensorScale;
      const scale = blocks.rule.blockScale(largest, blocks, ofTensor) * ofTensor.stored;
      const near = around(midpoints[random() % midpoints.length] * scale)[random() % 5];
      triples.push([largest, tensor, near], [largest, tensor, fromBits(random() | 0)]);
    }
    expect(await firstDifference(name, triples)).toBeNull();
  });
});

/** All of fp32's. */
function exponents(): number[] {
  return Array.from({ length: 277 }, (_, i) => i - 149);
}

it("the comparison tells: lanes of another rule give another scale", async () => {
  const run = await onLanes(blockFormat("mxfp8-e4m3:ceil"));
  const { scales } = run([[1.5, 1, 1]]);
  expect(scales[0]).not.toBe(
    blockFormat("mxfp8-e4m3").rule.blockScale(1.5, blockFormat("mxfp8-e4m3"), noTensorScale),
  );
});
