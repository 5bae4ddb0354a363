import { describe, expect, it } from "vitest";
import { storageFormat } from "../../../src/format/block/block-format.js";
import { type CountedTensor, summarizeInspection } from "../../../src/lens/inspect/inspection.js";
import { NumberTally } from "../../../src/lens/inspect/number-tally.js";
import { addQuality, QualityTally } from "../../../src/lens/inspect/quality.js";

interface Given {
  readonly format?: string;
  readonly as?: readonly string[];
  readonly minNormal?: number;
}

function counted(name: string, numbers: readonly number[], given: Given = {}): CountedTensor {
  const { format = "fp32", as = [], minNormal = 0 } = given;
  const tally = new NumberTally();
  tally.add(Float64Array.from(numbers), minNormal);
  const qualities = as.map((target): [string, QualityTally] => {
    const quality = new QualityTally();
    addQuality(Float32Array.from(numbers), [1, numbers.length], storageFormat(target), 1, quality);
    return [target, quality];
  });
  return { name, shape: [numbers.length], format, numbers: tally, qualities: new Map(qualities) };
}

describe("tensors added up", () => {
  const q = counted("model.layers.3.self_attn.q_proj.weight", [3, -4, 0], { format: "bf16" });
  const k = counted("model.layers.3.self_attn.k_proj.weight", [1, 1], { format: "bf16" });
  const later = counted("model.layers.10.self_attn.q_proj.weight", [2]);
  const visual = counted("visual.blocks.3.attn.qkv.weight", [0.25, 0, 0, 0, 0, 0, 0]);
  const head = counted("lm_head.weight", [5]);
  const summary = () => summarizeInspection([head, later, q, visual, k]);

  const sum = (tensors: number, elements: number, zeros: number, squares: number) => ({
    tensors,
    elements,
    zeros,
    subnormals: 0,
    nonfinite: 0,
    rms: Math.sqrt(squares / elements),
  });

  it("over all", () => {
    expect(summary().totals).toEqual({
      ...sum(5, 14, 7, 25 + 2 + 4 + 1 / 16 + 25),
      smallest: 0.25,
      largest: 5,
    });
  });

  it("by format, most weights first", () => {
    expect(summary().formats).toEqual([
      { format: "fp32", ...sum(3, 9, 6, 25 + 4 + 1 / 16), smallest: 0.25, largest: 5 },
      { format: "bf16", ...sum(2, 5, 1, 27), smallest: 1, largest: 4 },
    ]);
    const other = summarizeInspection([head, k, q]);
    expect(other.formats.map(({ format, elements }) => [format, elements])).toEqual([
      ["bf16", 5],
      ["fp32", 1],
    ]);
  });

  it("by kind, in the order of kinds, each that is there", () => {
    expect(summary().kinds).toEqual([
      { kind: "q", ...sum(2, 4, 1, 29), smallest: 2, largest: 4 },
      { kind: "k", ...sum(1, 2, 0, 2), smallest: 1, largest: 1 },
      { kind: "head", ...sum(1, 1, 0, 25), smallest: 5, largest: 5 },
      { kind: "vision", ...sum(1, 7, 6, 1 / 16), smallest: 0.25, largest: 0.25 },
    ]);
  });

  it("by layer, those of one number in two stacks apart, without what is outside of any", () => {
    expect(summary().layers).toEqual([
      { stack: "model.layers", layer: 10, ...sum(1, 1, 0, 4), smallest: 2, largest: 2 },
      { stack: "model.layers", layer: 3, ...sum(2, 5, 1, 27), smallest: 1, largest: 4 },
      { stack: "visual.blocks", layer: 3, ...sum(1, 7, 6, 1 / 16), smallest: 0.25, largest: 0.25 },
    ]);
    expect(summarizeInspection([head, head]).layers).toEqual([]);
  });

  it("and each alone, in the order that they came in", () => {
    expect(summary().tensors.map(({ name }) => name)).toEqual(
      [head, later, q, visual, k].map(({ name }) => name),
    );
    const { tensors: _, ...own } = sum(1, 3, 1, 25);
    expect(summary().tensors[2]).toEqual({
      name: "model.layers.3.self_attn.q_proj.weight",
      shape: [3],
      kind: "q",
      stack: "model.layers",
      layer: 3,
      format: "bf16",
      ...own,
      smallest: 3,
      largest: 4,
    });
    expect(summary().tensors[0]).toMatchObject({ kind: "head", stack: null, layer: null });
  });

  it("with the scales of those that have any", () => {
    const scales = [
      {
        name: "w.scale",
        format: "e8m0fnu",
        block: [1, 32] as const,
        count: 1,
        zeros: 0,
        nonfinite: 0,
        negative: 0,
        smallest: 1,
        largest: 1,
      },
    ];
    const { tensors } = summarizeInspection([{ ...k, scales }, q]);
    expect(tensors[0].scales).toBe(scales);
    expect(tensors[1]).not.toHaveProperty("scales");
  });

  it("by hand where numbers are subnormal, zero or not finite", () => {
    const tensor = counted("w", [0.25, 0, 3, Number.NaN, Infinity], { minNormal: 0.5 });
    expect(summarizeInspection([tensor]).totals).toEqual({
      tensors: 1,
      elements: 5,
      zeros: 1,
      subnormals: 1,
      nonfinite: 2,
      smallest: 0.25,
      largest: 3,
      rms: Math.sqrt((1 / 16 + 9) / 3),
    });
  });

  it.each([
    ["no numbers", [], null],
    ["none that is finite", [Number.NaN, Infinity], null],
    ["zeros alone", [0, -0], 0],
    ["zeros and none that is finite", [0, Number.NaN], 0],
  ])("%s have no magnitudes", (_, numbers, rms) => {
    expect(summarizeInspection([counted("w", numbers)]).totals).toMatchObject({
      smallest: null,
      largest: null,
      rms,
    });
  });
});

describe("what formats would make of tensors", () => {
  it("has numbers that would be stored as NaN where there are any", () => {
    const as = ["mxfp4", "bf16"];
    const [blocks, plain] = summarizeInspection([counted("w", [Number.NaN, 3, 1], { as })]).totals.as!;
    expect(blocks).toMatchObject({ format: "mxfp4", elements: 2, storedNaN: 2, sqnr: null });
    expect(plain).toMatchObject({ format: "bf16", elements: 2, sqnr: null });
    expect(plain).not.toHaveProperty("storedNaN");
  });

  it("is told of each format in its order, added over tensors, with its sums", () => {
    // In e4m3fn 17 becomes 16 and 500 becomes 448, 1 stays; bf16 has all three.
    const as = ["e4m3fn", "bf16"];
    const { totals, tensors } = summarizeInspection([
      counted("a.weight", [17, 500], { as }),
      counted("b.weight", [1, 2 ** -11], { as }),
    ]);
    const error = 1 + 52 ** 2;
    expect(tensors[0].as).toEqual([
      {
        format: "e4m3fn",
        elements: 2,
        clipped: 1,
        flushed: 0,
        sqnr: 10 * Math.log10((289 + 250_000) / error),
        sums: { signal: [289 + 250_000], error: [error] },
      },
      {
        format: "bf16",
        elements: 2,
        clipped: 0,
        flushed: 0,
        sqnr: null,
        sums: { signal: [289 + 250_000], error: [] },
      },
    ]);
    const [first, second] = totals.as!;
    expect(first).toMatchObject({ format: "e4m3fn", elements: 4, clipped: 1, flushed: 1 });
    expect(first.sums).toEqual({ signal: [250_290 + 2 ** -22], error: [error + 2 ** -22] });
    expect(first.sqnr).toBeCloseTo(10 * Math.log10(250_290 / error), 9);
    expect(second).toMatchObject({ format: "bf16", elements: 4, sqnr: null });
  });

  it("has no ratio of signal and error where one of them is zero", () => {
    const sqnr = (numbers: readonly number[]) =>
      summarizeInspection([counted("w", numbers, { as: ["e4m3fn"] })]).totals.as![0].sqnr;
    expect(sqnr([1, 2])).toBeNull();
    expect(sqnr([0])).toBeNull();
    // A number that is flushed is all error.
    expect(sqnr([2 ** -11])).toBe(0);
  });

  it("is absent where no format was asked for", () => {
    const { totals, tensors } = summarizeInspection([counted("w", [1])]);
    expect(totals).not.toHaveProperty("as");
    expect(tensors[0]).not.toHaveProperty("as");
  });
});
