import { describe, expect, it } from "vitest";
import {
  blockFormat,
  blockFormats,
  isBlockFormat,
  rulesOf,
  storageFormat,
} from "../../../src/format/block/block-format.js";
import { format } from "../../../src/format/registry.js";

/** OCP MX 1.0, table 1; NVIDIA's NVFP4 and TransformerEngine's weights; DeepSeek-V3's technical report, 3.3.2. */
const published = [
  ["mxfp8-e4m3", "e4m3fn", "1 x 32", "e8m0fnu"],
  ["mxfp8-e5m2", "e5m2", "1 x 32", "e8m0fnu"],
  ["mxfp6-e2m3", "e2m3fn", "1 x 32", "e8m0fnu"],
  ["mxfp6-e3m2", "e3m2fn", "1 x 32", "e8m0fnu"],
  ["mxfp4", "e2m1fn", "1 x 32", "e8m0fnu"],
  ["nvfp4", "e2m1fn", "1 x 16", "e4m3fn"],
  ["nvfp4-16x16", "e2m1fn", "16 x 16", "e4m3fn"],
  ["fp8-128x128", "e4m3fn", "128 x 128", "fp32"],
];

const powersOfTwo = ["floor", "ceil", "rceil", "even", "compressed-tensors"];
const rules: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(published.slice(0, 5).map(([name]) => [name, powersOfTwo])),
  nvfp4: ["torchao", "transformer-engine"],
  "nvfp4-16x16": ["transformer-engine", "torchao"],
  "fp8-128x128": ["amax", "power-of-two"],
};

describe("block formats", () => {
  it("have the published elements, blocks and scales", () => {
    const found = [...blockFormats.values()].map(({ name, element, rows, columns, scale }) => [
      name,
      element.name,
      `${rows} x ${columns}`,
      scale.name,
    ]);
    expect(found).toEqual(published);
    expect(Object.isFrozen(blockFormat("nvfp4"))).toBe(true);
  });

  it.each(Object.entries(rules))("%s by its rules, the first by default: %j", (name, expected) => {
    expect(rulesOf(blockFormat(name))).toEqual(expected);
    for (const rule of expected) {
      const found = blockFormat(`${name}:${rule}`);
      expect(found.rule.name).toBe(rule);
      // The default rule is not part of the name.
      expect(found.name).toBe(rule === expected[0] ? name : `${name}:${rule}`);
      expect(rulesOf(found)).toEqual(expected);
    }
    expect(blockFormat(name)).toEqual(blockFormat(`${name}:${expected[0]}`));
  });

  it("a name that is no block format has no rules", () => {
    expect(rulesOf({ name: "bf16" })).toEqual([]);
    expect(isBlockFormat("bf16")).toBe(false);
    expect(isBlockFormat("nvfp4:what")).toBe(true);
  });
});

describe("a name that is unknown", () => {
  const all =
    "mxfp8-e4m3, mxfp8-e5m2, mxfp6-e2m3, mxfp6-e3m2, mxfp4, nvfp4, nvfp4-16x16, fp8-128x128, " +
    "each with :RULE after it if need be";

  it.each([
    ["mxfp5", `unknown block format "mxfp5": did you mean mxfp4? Expected ${all}`],
    ["nvfp4:torchao:x", `unknown block format "nvfp4:torchao:x": expected ${all}`],
    [
      "mxfp4:rciel",
      'unknown scale rule "rciel" of mxfp4: did you mean rceil? Expected floor, ceil, rceil, even, compressed-tensors',
    ],
    ["fp8-128x128:floor", 'unknown scale rule "floor" of fp8-128x128: expected amax, power-of-two'],
  ])("%s is refused, with what is known", (name, message) => {
    expect(() => blockFormat(name)).toThrow(new RangeError(message));
  });
});

it("weights may be stored in a plain format or one of blocks, by name", () => {
  expect(storageFormat("bf16")).toBe(format("bf16"));
  expect(storageFormat("torch.float8_e4m3fn")).toBe(format("e4m3fn"));
  expect(storageFormat("mxfp4:rceil")).toEqual(blockFormat("mxfp4:rceil"));
  expect(() => storageFormat("bf61")).toThrow("did you mean bf16?");
  expect(() => storageFormat("mxfp4:ciel")).toThrow("did you mean ceil?");
});
