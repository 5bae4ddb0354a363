import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { diff } from "../../../src/node.js";
import { matchNames } from "../../../src/source/names/match-names.js";
import { renameRule } from "../../../src/source/names/rename.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { expectUsageError, output } from "../../support/cli.js";
import { expectValid } from "../../support/schemas.js";
import { make, recipes } from "../scaled/make.js";
import { expectSentence, put, temporaryFolder } from "../support.js";

const root = temporaryFolder();
let files = 0;

function file(...tensors: TensorToWrite[]): string {
  const folder = join(root, String(files++));
  mkdirSync(folder);
  return put(folder, "model.safetensors", encodeSafetensors(tensors));
}

/** A tensor whose numbers count up from one that its name gives. */
function tensor(name: string, shape: readonly number[], first = 0): TensorToWrite {
  const data = Float32Array.from({ length: shape.reduce((all, n) => all * n, 1) }, (_, i) => first + i);
  return { name, dtype: "F32", shape, data };
}

describe("names that differ by what wraps the model or by a prefix", () => {
  const named = (names: Readonly<Record<string, readonly number[]>>) =>
    new Map(Object.entries(names).map(([name, shape]) => [name, { name, shape }]));
  it.each<[string, Record<string, number[]>, Record<string, number[]>, Record<string, string>, string[]]>([
    [
      "transformers 4 and 5",
      { "model.layers.0.q_proj.weight": [4, 8], "model.norm.weight": [8], "lm_head.weight": [9, 8] },
      {
        "model.language_model.layers.0.q_proj.weight": [4, 8],
        "model.language_model.norm.weight": [8],
        "lm_head.weight": [9, 8],
      },
      {
        "model.language_model.layers.0.q_proj.weight": "model.layers.0.q_proj.weight",
        "model.language_model.norm.weight": "model.norm.weight",
      },
      ['names were matched by writing "model." for "model.language_model." (2 tensors)'],
    ],
    [
      "DistributedDataParallel and torch.compile",
      { "layers.0.q.weight": [2], "norm.weight": [3] },
      { "module._orig_mod.layers.0.q.weight": [2], "module._orig_mod.norm.weight": [3] },
      {
        "module._orig_mod.layers.0.q.weight": "layers.0.q.weight",
        "module._orig_mod.norm.weight": "norm.weight",
      },
      ['names were matched without "module." and "_orig_mod." (2 tensors)'],
    ],
    [
      "FSDP inside of names, before",
      { "_fsdp_wrapped_module.layers.3._fsdp_wrapped_module.q.weight": [2] },
      { "layers.3.q.weight": [2] },
      { "layers.3.q.weight": "_fsdp_wrapped_module.layers.3._fsdp_wrapped_module.q.weight" },
      ['names were matched without "_fsdp_wrapped_module." (1 tensor)'],
    ],
    [
      "PEFT",
      { "model.layers.0.q.weight": [2] },
      { "base_model.model.model.layers.0.q.weight": [2] },
      { "base_model.model.model.layers.0.q.weight": "model.layers.0.q.weight" },
      ['names were matched without "base_model.model." (1 tensor)'],
    ],
    [
      "names of one segment",
      { w: [2] },
      { "policy.w": [2] },
      { "policy.w": "w" },
      ['names were matched by writing "" for "policy." (1 tensor)'],
    ],
    [
      "other shapes",
      { "a.q.weight": [2], "a.k.weight": [2] },
      { "b.q.weight": [3], "b.k.weight": [3] },
      {},
      [],
    ],
    ["another module", { "q_proj.weight": [2] }, { "k_proj.weight": [2] }, {}, []],
    ["another layer", { "layers.0.q.weight": [2] }, { "layers.1.q.weight": [2] }, {}, []],
    [
      "a prefix of few tensors among many",
      { "x.a.weight": [2], "x.b.weight": [2], "x.c.weight": [2], "x.d.weight": [2], "x.e.weight": [2] },
      { "y.a.weight": [2], "z.b.w": [2], "z.c.w": [2], "z.d.w": [2], "z.e.w": [2] },
      {},
      [],
    ],
    [
      "an encoder and a decoder",
      { "encoder.layers.0.q.weight": [2], "encoder.norm.weight": [3] },
      { "decoder.layers.0.q.weight": [2], "decoder.norm.weight": [3] },
      {},
      [],
    ],
    ["equal names", { "a.b": [2] }, { "a.b": [2] }, {}, []],
  ])("%s", (_, before, after, names, notes) => {
    const matched = matchNames(named(before), named(after));
    expect(Object.fromEntries(matched.names)).toEqual(names);
    expect(matched.notes).toEqual(notes);
  });

  test("a diff counts them under the names of BEFORE and says so", async () => {
    const before = file(tensor("model.layers.0.q_proj.weight", [4, 8]), tensor("model.norm.weight", [8]));
    const after = file(
      tensor("model.language_model.layers.0.q_proj.weight", [4, 8], 1),
      tensor("model.language_model.norm.weight", [8]),
    );
    const result = await diff(before, after);
    expectValid("diff", result);
    expect(result.totals).toMatchObject({ elements: 40, changed: 32, tensors: 2 });
    expect(result.tensors.map(({ name }) => name)).toEqual([
      "model.layers.0.q_proj.weight",
      "model.norm.weight",
    ]);
    const note = 'names were matched by writing "model." for "model.language_model." (2 tensors)';
    expect(result.input.after.notes).toEqual([note]);
    expect((await output("diff", before, after)).replaceAll(/\s+/g, " ")).toContain(`Of AFTER, ${note}.`);
  });
});

describe("--rename", () => {
  it.each([
    ["s/^module\\.//", "module.a.module.b", "a.module.b"],
    ["s/o/0/g", "foo.o", "f00.0"],
    ["s/A/x/i", "banana", "bxnana"],
    ["s|model/|m.|", "model/w", "m.w"],
    ["s/(\\w+)\\.(\\d+)/\\2.$1/", "layers.3.q", "3.layers.q"],
    ["s/a\\/b/c/", "a/b", "c"],
    ["s/x/&/", "axb", "a&b"],
  ])("%s makes %s %s", (rule, name, expected) => expect(renameRule(rule).apply(name)).toBe(expected));

  it.each([
    ["", /expected a rule such as/],
    ["model.", /found "model\."/],
    ["s/a", /with 3 "\/", found 1/],
    ["s/a/b", /with 3 "\/", found 2/],
    ["s/a/b/c/d", /with 3 "\/", found 4/],
    ["s/a/b/x", /expected the flags g and i, found "x"/],
    ["s/(/b/", /expected a regular expression in "s\/\(\/b\/"/],
  ])("%j is no rule", (rule, message) => expect(() => renameRule(rule)).toThrow(message));

  test("on the command line, one after the other, and in the result", async () => {
    const before = file(tensor("w.q", [2]));
    const after = file(tensor("actor/w.query", [2], 1));
    const rules = ["s|^actor/||", "s/query$/q/"];
    const args = ["diff", before, after, "--json", "-", ...rules.flatMap((rule) => ["--rename", rule])];
    const result = JSON.parse(await output(...args));
    expectValid("diff", result);
    expect(result.tensors.map(({ name }: { name: string }) => name)).toEqual(["w.q"]);
    expect(result.settings.rename).toEqual(rules);
    await expectUsageError(["diff", before, after, "--rename", "s/a"], /expected a rule such as/);
  });

  test("two tensors under one name", async () => {
    const both = file(tensor("a.w", [2]), tensor("b.w", [2]));
    await expectSentence(
      diff(both, both, { rename: ["s/^[ab]/c/"] }),
      both,
      "a name for every tensor after renaming",
      '"c.w" twice',
    );
  });
});

describe("fused and split", () => {
  const parts = [
    tensor("l.0.q_proj.weight", [6, 4]),
    tensor("l.0.k_proj.weight", [2, 4], 24),
    tensor("l.0.v_proj.weight", [2, 4], 32),
  ];
  const split = file(...parts);
  it("qkv, in both directions", async () => {
    const fused = file(tensor("l.0.qkv_proj.weight", [10, 4]));
    for (const [before, after] of [
      [split, fused],
      [fused, split],
    ]) {
      const { tensors, totals, skipped, input } = await diff(before, after);
      expect(tensors.map(({ name, shape, changed }) => [name, shape, changed])).toEqual([
        ["l.0.q_proj.weight", [6, 4], 0],
        ["l.0.k_proj.weight", [2, 4], 0],
        ["l.0.v_proj.weight", [2, 4], 0],
      ]);
      expect(totals.elements).toBe(40);
      expect(skipped).toEqual([]);
      const side = before === fused ? input.before : input.after;
      expect(side.notes).toEqual(['"l.0.qkv_proj.weight" was compared in 3 parts, as the other side has it']);
    }
  });

  it("not where the heights do not add up, or a part is missing", async () => {
    const fused = file(tensor("l.0.qkv_proj.weight", [11, 4]), tensor("n", [1]));
    const { skipped } = await diff(file(...parts, tensor("n", [1])), fused);
    expect(skipped.map(({ name }) => name)).toContain("l.0.qkv_proj.weight");
    const whole = file(tensor("l.0.qkv_proj.weight", [10, 4]), tensor("n", [1]));
    const { totals } = await diff(file(...parts.slice(0, 2), tensor("n", [1])), whole);
    expect(totals.elements).toBe(1);
  });

  it("experts in one tensor, gate above up", async () => {
    const fused = file(
      tensor("mlp.experts.gate_up_proj", [2, 6, 4]),
      tensor("mlp.experts.down_proj", [2, 4, 3], 100),
    );
    const single = [0, 1].flatMap((e) => [
      tensor(`mlp.experts.${e}.gate_proj.weight`, [3, 4], 24 * e),
      tensor(`mlp.experts.${e}.up_proj.weight`, [3, 4], 24 * e + 12),
      tensor(`mlp.experts.${e}.down_proj.weight`, [4, 3], 100 + 12 * e),
    ]);
    const { totals, skipped } = await diff(fused, file(...single));
    expect(totals).toMatchObject({ elements: 72, changed: 0, tensors: 6 });
    expect(skipped).toEqual([]);
  });
});

describe("experts of gpt-oss against what transformers dequantizes them to", () => {
  /** The matrices of a tensor with rows and columns exchanged. */
  function turned(numbers: Float32Array, [, rows, columns]: readonly number[]): Float32Array {
    return Float32Array.from({ length: numbers.length }, (_, i) => {
      const [matrix, rest] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
      const [column, row] = [Math.floor(rest / rows), rest % rows];
      return numbers[matrix * rows * columns + row * columns + column];
    });
  }
  const up = make(recipes["gpt-oss"]);
  const square = make({
    ...recipes["gpt-oss"],
    shape: [2, 64, 64],
    scaleShape: [2, 64, 2],
    scaleOf: (matrix, row, column) => (matrix * 64 + row) * 2 + Math.floor(column / 32),
    seed: 9,
  });
  const rename = (name: string, tensors: readonly TensorToWrite[]) =>
    tensors.map((tensor) => ({
      ...tensor,
      name: tensor.name.replace("layers.0.up", `layers.0.mlp.experts.${name}`),
    }));
  const coded = file(...rename("gate_up_proj", up.tensors), ...rename("down_proj", square.tensors));
  const plain = (name: string, shape: readonly number[], data: Float32Array) => ({
    name: `layers.0.mlp.experts.${name}`,
    dtype: "F32",
    shape,
    data,
  });

  it("rows and columns are exchanged, those of square matrices too", async () => {
    const dequantized = file(
      plain("gate_up_proj", [2, 128, 64], turned(up.numbers, up.shape)),
      plain("down_proj", [2, 64, 64], turned(square.numbers, square.shape)),
    );
    for (const [before, after] of [
      [coded, dequantized],
      [dequantized, coded],
    ]) {
      const { totals, skipped, input } = await diff(before, after);
      expect(totals).toMatchObject({ elements: 24576, changed: 0 });
      expect(skipped).toEqual([]);
      expect(input.after.notes).toEqual([
        '"layers.0.mlp.experts.gate_up_proj" and 1 more were transposed, to match the other side',
      ]);
    }
  });

  it("not where shapes agree", async () => {
    const same = file(
      plain("gate_up_proj", [2, 64, 128], up.numbers),
      plain("down_proj", [2, 64, 64], square.numbers),
    );
    const { totals, input } = await diff(coded, same);
    expect(totals).toMatchObject({ elements: 24576, changed: 0 });
    expect(input.after).not.toHaveProperty("notes");
  });
});

describe("another number of rows", () => {
  const [before, after] = [8, 10].map((rows) =>
    file(tensor("embed_tokens.weight", [rows, 4]), tensor("norm.weight", [4])),
  );
  it("is left out with the way to compare them", async () => {
    const { totals, skipped } = await diff(before, after);
    expect(totals.elements).toBe(4);
    expect(skipped[0].reason).toBe(
      "its shape is [8, 4] in BEFORE and [10, 4] in AFTER: --common-rows compares the rows that both have",
    );
  });
  it("--common-rows compares those in common, and says how many", async () => {
    const result = JSON.parse(await output("diff", before, after, "--common-rows", "--json", "-"));
    expectValid("diff", result);
    expect(result.totals).toMatchObject({ elements: 36, changed: 0 });
    expect(result.settings.commonRows).toBe(true);
    expect(result.input.after.notes).toEqual([
      'the first 8 rows of "embed_tokens.weight" were compared: BEFORE has 8, AFTER 10',
    ]);
  });
});

test("a head that only one side has, where the other may be tied", async () => {
  const embedding = tensor("model.embed_tokens.weight", [4, 2]);
  const { skipped } = await diff(file(embedding, tensor("lm_head.weight", [4, 2])), file(embedding));
  expect(skipped).toEqual([
    {
      name: "lm_head.weight",
      reason:
        'is only in BEFORE: the other side has no head, as where it is tied to "model.embed_tokens.weight"',
      elements: 8,
    },
  ]);
});
