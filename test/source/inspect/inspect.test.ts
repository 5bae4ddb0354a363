import { describe, expect, it, test } from "vitest";
import { storageFormat } from "../../../src/format/block/block-format.js";
import { dequantize, quantize } from "../../../src/format/block/quantize.js";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { inspectCheckpoint } from "../../../src/source/inspect/inspect-checkpoint.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { expectValid } from "../../support/schemas.js";
import { make, recipes } from "../scaled/make.js";
import { put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
let files = 0;

async function inspect(
  tensors: readonly TensorToWrite[],
  as: readonly string[] = [],
  sample: number | null = 4,
) {
  const checkpoint = await openCheckpoint(put(folder, `${files++}.safetensors`, encodeSafetensors(tensors)));
  const inspection = await inspectCheckpoint(checkpoint, { as: as.map(storageFormat), sample });
  await checkpoint.close();
  expectValid("inspect", inspection);
  return inspection;
}

function float32(name: string, shape: readonly number[], data: Float32Array): TensorToWrite {
  return { name, dtype: "F32", shape, data };
}

function gaussian(length: number, sigma: number, seed: number): Float32Array {
  const below = seeded(seed);
  const uniform = () => (below(2 ** 24) + 1) / 2 ** 24;
  return Float32Array.from(
    { length },
    () => sigma * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

test("zeros, subnormals, what is not finite, and magnitudes, by tensor, format, kind and layer", async () => {
  const codes = Uint16Array.of(0, 0x8000, 0x0001, 0x807f, 0x0080, 0x3f80, 0xc000, 0x7f80, 0x7fc0);
  const { totals, formats, kinds, layers, tensors, noFloats } = await inspect([
    { name: "layers.1.q_proj.weight", dtype: "BF16", shape: [9], data: codes },
    float32("norm.weight", [2], Float32Array.of(0.5, -4)),
    { name: "ids", dtype: "I64", shape: [1], data: new BigInt64Array(1) },
  ]);
  const q = { elements: 9, zeros: 2, subnormals: 2, nonfinite: 2, smallest: 2 ** -133, largest: 2 };
  expect(tensors[0]).toMatchObject({ ...q, format: "bf16", kind: "q", layer: 1, rms: Math.sqrt(5 / 7) });
  expect(totals).toMatchObject({ elements: 11, tensors: 2, largest: 4, rms: Math.sqrt((5 + 16.25) / 9) });
  expect(formats.map(({ format, elements }) => [format, elements])).toEqual([
    ["bf16", 9],
    ["fp32", 2],
  ]);
  expect(kinds.map(({ kind, zeros }) => [kind, zeros])).toEqual([
    ["q", 2],
    ["norm", 0],
  ]);
  expect(layers).toMatchObject([{ stack: "layers", layer: 1, ...q }]);
  expect(noFloats).toEqual([{ name: "ids", dtype: "I64", shape: [1], elements: 1 }]);
});

describe("a NaN or Inf", () => {
  // 32 x 32 numbers; 1e39 is Inf in fp32, from which numbers are stored.
  const numbers = Float64Array.from({ length: 1024 }, (_, i) => (((i * 7919) % 1000) - 500) / 25000);
  const replaced = (index: number, x: number) => numbers.map((number, i) => (i === index ? x : number));

  it.each([
    ["NaN", replaced(97, NaN), 1023],
    ["Inf", replaced(148, Infinity), 1023],
    ["a number beyond fp32", replaced(148, 1e39), 1023],
  ])("%s makes the tensor scale none, and so all numbers", async (_, data, others) => {
    const formats = ["nvfp4", "nvfp4:transformer-engine", "nvfp4-16x16"];
    const { totals } = await inspect([{ name: "w", dtype: "F64", shape: [32, 32], data }], formats);
    expect(totals.as).toMatchObject(
      formats.map((format) => ({ format, elements: others, storedNaN: others, sqnr: null })),
    );
  });

  it("takes numbers along that are not tried with it", async () => {
    // Of two squares, the second is tried, and the first has the NaN.
    const data = new Float32Array(2 * 128 * 128).fill(1);
    data[3] = NaN;
    const { totals } = await inspect([float32("w", [128, 256], data)], ["nvfp4", "mxfp4"], 1);
    expect(totals.as).toMatchObject([
      { elements: 16_384, storedNaN: 16_384 },
      { elements: 16_384, sqnr: null },
    ]);
    expect(totals.as![1].storedNaN).toBeUndefined();
  });
});

describe("what a format would make of numbers", () => {
  const shape = [140, 200];
  const data = gaussian(140 * 200, 0.02, 5);
  data[7] = 3;
  data[11] = 1e-9;

  /** Sums over pairs, by hand. */
  function expected(stored: Float32Array) {
    let [signal, error, flushed] = [0, 0, 0];
    for (const [i, x] of data.entries()) {
      signal += x * x;
      error += (stored[i] - x) ** 2;
      if (x !== 0 && stored[i] === 0) flushed += 1;
    }
    return { flushed, sqnr: 10 * Math.log10(signal / error) };
  }

  it.each(["mxfp8-e4m3", "mxfp4", "mxfp4:rceil", "nvfp4", "nvfp4:transformer-engine", "fp8-128x128"])(
    "%s, as quantizing the whole tensor does",
    async (format) => {
      const { totals } = await inspect([float32("up_proj.weight", shape, data)], [format], null);
      const { flushed, sqnr } = expected(dequantize(quantize(data, shape, format)));
      expect(totals.as).toMatchObject([{ format, elements: data.length, flushed }]);
      expect(totals.as![0].sqnr).toBeCloseTo(sqnr, 9);
    },
  );

  it("bf16 and fp16, by their bits", async () => {
    const words = new Uint32Array(data.slice().buffer);
    const bf16 = new Float32Array(
      words.map((word) => ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) << 16).buffer,
    );
    const { totals } = await inspect([float32("w", shape, data)], ["bf16", "fp32"], null);
    const [first, second] = totals.as!;
    expect(first).toMatchObject({ clipped: 0, flushed: 0 });
    expect(first.sqnr).toBeCloseTo(expected(bf16).sqnr, 9);
    expect(second.sqnr).toBeNull();
  });

  it("clipped: beyond the largest number", async () => {
    const numbers = Float32Array.of(447, 448, 449, -500, 2 ** -10, 2 ** -11, 0);
    const { totals } = await inspect([float32("w", [7], numbers)], ["e4m3fn"]);
    expect(totals.as).toMatchObject([{ elements: 7, clipped: 2, flushed: 2 }]);
  });

  it("a sample has as many squares of a tensor, all of a small one", async () => {
    const tensors = [
      float32("big", [512, 384], gaussian(512 * 384, 1, 3)),
      float32("small", [3, 5], gaussian(15, 1, 4)),
    ];
    const { tensors: sampled, totals } = await inspect(tensors, ["e5m2"], 2);
    expect(sampled.map(({ as }) => as![0].elements)).toEqual([2 * 128 * 128, 15]);
    expect(totals.as![0].elements).toBe(2 * 128 * 128 + 15);
  });
});

describe("scales", () => {
  it("how many, of which blocks, how large; subnormals are those of the codes", async () => {
    const made = make(recipes.mxfp8);
    const { tensors } = await inspect(made.tensors);
    const [codes, scales] = made.tensors.map(({ data }) => new Uint8Array(data.buffer));
    const subnormal = codes.filter((code) => (code & 0x78) === 0 && (code & 7) !== 0).length;
    expect(subnormal).toBeGreaterThan(0);
    expect(tensors).toMatchObject([
      { format: "mxfp8-e4m3", subnormals: subnormal, elements: made.numbers.length },
    ]);
    expect(tensors[0].scales).toEqual([
      {
        name: "layers.0.up.weight_scale",
        format: "e8m0fnu",
        block: [1, 32],
        count: 33 * 5,
        zeros: 0,
        nonfinite: 0,
        negative: 0,
        smallest: 2 ** (Math.min(...scales) - 127),
        largest: 2 ** (Math.max(...scales) - 127),
      },
    ]);
  });
});

describe("lint", () => {
  const v3 = make(recipes["DeepSeek-V3"]);
  const [codes, scales] = v3.tensors;
  const withScales = (change: (data: Float32Array) => void) => {
    const data = (scales.data as Float32Array).slice();
    change(data);
    return [codes, { ...scales, data }];
  };
  const findings = async (tensors: readonly TensorToWrite[]) =>
    (await inspect(tensors)).lint.map(({ rule, tensor, finding }) => [rule, tensor, finding]);
  const name = "layers.0.up.weight";
  const among = 'of 6 scales in "layers.0.up.weight_scale_inv"';

  it("nothing of a good one", async () => {
    for (const recipe of Object.values(recipes)) expect(await findings(make(recipe).tensors)).toEqual([]);
  });

  it.each<[string, (data: Float32Array) => void, string, string]>([
    ["zero", (data) => data.fill(0, 1, 3), "scales-zero", `2 ${among} are zero`],
    ["NaN", (data) => data.fill(Number.NaN, 4, 5), "scales-nonfinite", `1 ${among} is NaN or Inf`],
    ["below zero", (data) => data.fill(-1e-3, 0, 1), "scales-negative", `1 ${among} is below zero`],
    [
      "never set",
      (data) => data.fill(1e-30, 2, 3),
      "scales-uninitialised",
      'the scales in "layers.0.up.weight_scale_inv" range from 1.00e-30 to ',
    ],
  ])("scales that are %s", async (_, change, rule, finding) => {
    const found = await findings(withScales(change));
    expect(found).toHaveLength(1);
    expect(found[0].slice(0, 2)).toEqual([rule, name]);
    expect(found[0][2].startsWith(finding)).toBe(true);
  });

  it("scales that are all 1", async () => {
    const many = make({ ...recipes["fp8 by row"], scaleDtype: "F32" });
    const ones = { ...many.tensors[1], data: new Float32Array(90).fill(1) };
    expect(await findings([many.tensors[0], ones])).toEqual([
      [
        "scales-uninitialised",
        name,
        'the scales in "layers.0.up.weight_scale" are all 1, as before they are set',
      ],
    ]);
  });

  it("codes without scales, of the wrong shape, and without a scale of the tensor", async () => {
    const bare = { ...codes, name: "layers.1.up.weight" };
    expect(await findings([...v3.tensors, bare])).toEqual([
      ["scales-missing", bare.name, "it is F8_E4M3 and has no scales, as those of other tensors here have"],
    ]);
    const [found] = await findings([codes, { ...scales, shape: [6, 1] }]);
    expect(found.slice(0, 2)).toEqual(["scales-shape", name]);
    const nv = make(recipes["ModelOpt, nvfp4"]).tensors;
    expect(await findings(nv.slice(0, 2))).toEqual([
      ["scales-shape", name, 'its tensor scale "layers.0.up.weight_scale_2" is not there'],
    ]);
  });

  it("gate and up of one layer with different scales of the tensor", async () => {
    const both = ["gate_proj", "up_proj"].flatMap((module, i) =>
      make(recipes["ModelOpt, nvfp4"]).tensors.map((tensor) => ({
        ...tensor,
        name: tensor.name.replace("layers.0.up", `layers.0.mlp.${module}`),
        data: tensor.name.endsWith("_2") ? Float32Array.of(0.5 + i / 4) : tensor.data,
      })),
    );
    expect(await findings(both)).toEqual([
      [
        "gate-up-scales-differ",
        "layers.0.mlp.gate_proj.weight",
        'its tensor scale is 0.5, that of "layers.0.mlp.up_proj.weight" 0.75',
      ],
    ]);
    const same = both.map((tensor) =>
      tensor.name.endsWith("_2") ? { ...tensor, data: Float32Array.of(0.5) } : tensor,
    );
    expect(await findings(same)).toEqual([]);
  });

  it("numbers that are NaN", async () => {
    expect(
      await findings([float32("w", [3], Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY))]),
    ).toEqual([["numbers-nonfinite", "w", "2 of 3 numbers are NaN or Inf"]]);
  });
});
