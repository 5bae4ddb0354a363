import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { moduleOf, moduleRowOf } from "../../src/lens/module.js";
import { moduleKinds } from "../../src/lens/module-kind.js";
import { moduleTable, stacks, wrappers } from "../../src/lens/module-table.js";
import { sized } from "../support/tier.js";

interface Named {
  readonly name: string;
  readonly kind: string;
  readonly layer: number | null;
}

/** The names of test/data/module-names.txt by architecture. */
const architectures = readFileSync(new URL("../data/module-names.txt", import.meta.url), "utf8")
  .split(/^# /m)
  .slice(1)
  .map((text): readonly [architecture: string, names: readonly Named[]] => {
    const [architecture, ...lines] = text.trim().split("\n");
    return [architecture, lines.map(parse)];
  });

function parse(line: string): Named {
  const [kind, layer, name] = line.split(/ +/);
  return { name, kind, layer: layer === "-" ? null : Number(layer) };
}

const named = architectures.flatMap(([, names]) => names);

describe("kinds and layers by name", () => {
  test.each(architectures)("%s", (_, names) => {
    const found = names.map(({ name }): Named => {
      const { kind, layer } = moduleOf(name);
      return { name, kind, layer };
    });
    expect(found).toEqual(names);
  });

  it("of every kind, and no other", () => {
    expect(new Set(named.map(({ kind }) => kind))).toEqual(new Set(moduleKinds));
  });

  it("of names of up to 500 characters, as no model has longer ones", () => {
    const name = (length: number) => `layers.3.q_proj.${"w".repeat(length - "layers.3.q_proj.".length)}`;
    expect(moduleOf(name(500))).toEqual({ kind: "q", stack: "layers", layer: 3 });
    expect(moduleOf(name(501))).toEqual({ kind: "other", stack: "layers", layer: 3 });
    expect(moduleRowOf(name(501))).toBeNull();
    expect(moduleRowOf(name(500))).toEqual(moduleRowOf("q_proj"));
  });

  test.each(["", ".", "/", "w", "model.layers", "layers.1234567.w", `layers.3.${"q_proj.".repeat(100)}`])(
    "%j is other",
    (name) => {
      expect(moduleOf(name).kind).toBe("other");
    },
  );
});

test.each([
  ["model.layers.31.mlp.up_proj.weight", "model.layers", 31],
  ["layers.0.w", "layers", 0],
  ["h.11.attn.c_attn.weight", "h", 11],
  ["visual.blocks.3.attn.qkv.weight", "visual.blocks", 3],
  ["encoder.block.2.layer.0.w", "encoder.block", 2],
  ["model.layers.5", "model.layers", 5],
  ["params/decoder/layers_7/mlp/wo/kernel", "decoder.layers", 7],
  ["base_model.model.model.layers.5.mlp.down_proj.lora_A.weight", "model.layers", 5],
  ["_fsdp_wrapped_module.model.layers.3._fsdp_wrapped_module.w", "model.layers", 3],
  ["module.module.decoder.layers.12.w", "decoder.layers", 12],
  ["_orig_mod.model.layers.3.w", "model.layers", 3],
  ["model._orig_mod.layers.3.w", "model.layers", 3],
  ["_checkpoint_wrapped_module.layers.3._checkpoint_wrapped_module.w", "layers", 3],
  ["_forward_module.model.layers.3.w", "model.layers", 3],
  ["pretrained_model.model.layers.3.w", "model.layers", 3],
  ["transformer.norm_attn_norm.blocks.3.w", "transformer.blocks", 3],
  ["roberta_prelayernorm.encoder.layer.3.w", "encoder.layer", 3],
  // PEFT's wrapper is two segments that follow each other; either alone is part of the model.
  ["base_model.encoder.layers.3.w", "base_model.encoder.layers", 3],
  ["x.model.layers.3.w", "x.model.layers", 3],
  ["params/decoder/layers_27/mlp/wo/kernel", "decoder.layers", 27],
  ["params/dense_layers_999999/w", "dense_layers", 999_999],
  ["params/layers_1000000/w", null, null],
  ["params/sublayers_3/w", null, null],
  ["3.layers.2.w", "3.layers", 2],
  ["layers/3/w", "layers", 3],
  ["mtp_layers.0.w", "mtp_layers", 0],
  ["layers.999999.w", "layers", 999_999],
  ["layers.1000000.w", null, null],
  ["model.norm.weight", null, null],
  ["sublayers.3.w", null, null],
  ["layers.x.w", null, null],
  ["layers_3x.w", null, null],
  ["3.w", null, null],
])("%s is in the stack %s, layer %s", (name, stack, layer) => {
  expect(moduleOf(name)).toMatchObject({ stack, layer });
});

describe("the table", () => {
  /** A pattern for each combination of its alternatives. */
  const expanded = (pattern: string): string[] => {
    const [whole, before, choice, after] = /^([^(]*)\(([^()]*)\)(.*)$/.exec(pattern) ?? [];
    if (whole === undefined) return [pattern];
    return choice.split("|").flatMap((one) => expanded(`${before}${one}${after}`));
  };

  it("has no pattern that no name needs", () => {
    const needed = new Map(moduleTable.map((row) => [row, [] as string[]]));
    for (const { name } of named) {
      const row = moduleRowOf(name);
      if (row !== null) needed.get(row)!.push(name);
    }
    const idle = moduleTable.flatMap((row) => {
      const [kind, pattern] = row;
      return expanded(pattern)
        .filter((alternative) => !needed.get(row)!.some((name) => isIn(alternative, name)))
        .map((alternative) => `${kind} ${alternative}`);
    });
    expect(idle).toEqual([]);
  });

  /** Whether segments like those of a pattern follow each other in a name; by itself, not by the table's own reading. */
  const isIn = (pattern: string, name: string) => {
    const wanted = pattern.replace("^", "").split(".");
    const segments = name.replace(/\b(layers|layer|h|encoderblock)_(\d+)/g, "$1/$2").split(/[./]/);
    return segments.some((_, at) =>
      wanted.every((one, i) => {
        const [begin, ...rest] = one.replace("#", "*").toLowerCase().split("*");
        const segment = segments[at + i]?.toLowerCase();
        if (segment === undefined) return false;
        if (rest.length === 0) return segment === begin;
        return segment.startsWith(begin) && segment.includes(rest[0]) && segment.endsWith(rest.at(-1)!);
      }),
    );
  };

  it("has no wrapper and no stack that no name needs", () => {
    const paths = named.map(({ name }) => `.${name.replaceAll("/", ".").replace(/_(\d+)\b/g, ".$1")}`);
    const idle = [...wrappers, ...stacks]
      .flatMap(([pattern]) => expanded(pattern))
      .filter((one) => !paths.some((path) => path.includes(`${one.replace("*", "")}.`)));
    expect(idle).toEqual([]);
  });

  it("has patterns of the signs that it explains, and says where each is from", () => {
    const ofKinds = moduleTable.map(([, pattern, from]): readonly [string, string] => [pattern, from]);
    for (const [pattern, from] of [...ofKinds, ...wrappers, ...stacks]) {
      expect(pattern).toMatch(/^\^?[\w.*#()|]+$/);
      expect(from).not.toBe("");
    }
  });

  it("has no row with ^ that is taken within a layer", () => {
    const outside = moduleTable.filter(([, pattern]) => pattern.startsWith("^"));
    expect(outside.length).toBeGreaterThan(5);
    for (const row of outside) {
      for (const one of expanded(row[1].slice(1))) {
        expect([one, moduleRowOf(`${one}.w`)]).toEqual([one, row]);
        expect([one, moduleRowOf(`model.${one}.w`)]).toEqual([one, row]);
        expect([one, moduleRowOf(`layers.3.${one}.w`)]).not.toEqual([one, row]);
        expect([one, moduleRowOf(`layers.3.x${one}.w`)]).not.toEqual([one, row]);
      }
    }
  });

  test.each([
    // Whole segments, wherever they are.
    ["x.q_proj", "q"],
    ["q_proj", "q"],
    ["x.q_proj_x", "other"],
    ["x.xq_proj", "other"],
    ["Q_PROJ.weight", "q"],
    // `.`: one after the other.
    ["layers.3.mlp.c_proj", "down"],
    ["layers.3.mlp.x.c_proj", "other"],
    ["layers.3.mlpxc_proj", "other"],
    // `*` within a segment.
    ["layers.3.xnormx", "norm"],
    ["layers.3.visionx.q_proj", "q"],
    ["layers.3.vision_.q_proj", "vision"],
    // `#` is a number.
    ["x.12.ff_out.layers.3", "down"],
    ["x.y.ff_out.layers.3", "other"],
    // `^` is outside of layers.
    ["x.head.weight", "head"],
    ["layers.3.x.head.weight", "other"],
    ["layers.3.output.weight", "other"],
    ["model.layers.3.score.weight", "other"],
    ["blocks.3.embed.weight", "other"],
    ["model.layers.3.mlp1.0.weight", "other"],
    // Near misses: a segment that is longer, shorter, or in another place.
    ["layers.3.mlp.gate_proj2.weight", "other"],
    ["layers.3.mlp.router_x.weight", "other"],
    ["layers.3.feed_forward.w4.weight", "other"],
    ["layers.3.cross.c_proj.weight", "other"],
    ["transformer.x.mlp.w1.weight", "gate"],
    ["transformer.h.3.mlp.w1.weight", "up"],
    ["encoder.layers.3.mlp.dense_h_to_4h.weight", "up"],
    ["blk.3.ffn_gate.weight", "gate"],
    ["blk.3.ffn_gate.x.weight", "gate"],
    ["blk.3.ffn_gate.7.weight", "expert"],
    ["blk.3.attn_output_x.weight", "other"],
    ["transformer_blocks.3.ff.net.1.weight", "other"],
    ["transformer_blocks.3.ff.net.0.weight", "other"],
    ["decoder.layers.3.mlp.linear_fc3.weight", "other"],
    ["bert.encoder.layer.3.attention.self.keys.weight", "other"],
    ["encoder.block.3.layer.0.SelfAttention.qq.weight", "other"],
    ["visuals.blocks.3.w", "other"],
    // The last segment of a name wraps nothing.
    ["norm_attn_norm", "norm"],
    ["layers.3.norm_attn_norm", "norm"],
    ["layers.3.norm_attn_norm.w", "other"],
    // Capitals of a pattern are meant.
    ["layers.3.mlp.Wi", "gate-up"],
    ["layers.3.mlp.wi", "up"],
    ["layers.3.mlp.WI", "up"],
    ["encoder.block.3.DenseReluDense.wo", "down"],
    ["encoder.block.3.denserEludense.wo", "o"],
  ])("%s is %s", (name, kind) => {
    expect(moduleOf(name).kind).toBe(kind);
  });
});

describe("whatever wraps a model", () => {
  const wrapped = ["module.", "_orig_mod.", "_fsdp_wrapped_module.", "base_model.model.", "params/"];
  const prefixes = fc.array(fc.constantFrom(...wrapped), { maxLength: 3 }).map((all) => all.join(""));
  const names = fc.oneof(
    fc.constantFrom(...named.map(({ name }) => name)),
    fc
      .array(
        fc.oneof(fc.constantFrom("layers", "3", "h_1", "norm", "q_proj", "output", "^", "*"), fc.string()),
        {
          minLength: 1,
        },
      )
      .map((segments) => segments.join(".")),
  );
  const numRuns = sized({ quick: 300, full: 30_000 });

  it("changes neither kind nor layer nor stack", () => {
    fc.assert(
      fc.property(prefixes, names, (prefix, name) => {
        expect(moduleOf(prefix + name)).toEqual(moduleOf(name));
      }),
      { numRuns },
    );
  });

  it("nor does a model within another change kind or layer", () => {
    const outer = fc.constantFrom("model.", "model.model.", "language_model.", "model.language_model.model.");
    fc.assert(
      fc.property(outer, prefixes, names, (model, prefix, name) => {
        const { kind, layer, stack } = moduleOf(name);
        const within = moduleOf(prefix + model + name);
        expect(within).toEqual({ kind, layer, stack: stack === null ? null : model + stack });
      }),
      { numRuns },
    );
  });

  it("and any name is one of the kinds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: sized({ quick: 100, full: 600 }) }), (name) => {
        const { kind, stack, layer } = moduleOf(name);
        expect(moduleKinds).toContain(kind);
        expect(stack === null).toBe(layer === null);
      }),
      { numRuns },
    );
  });
});
