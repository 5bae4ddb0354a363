import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/lens/run/result.js";
import { adamw, recipes } from "../../src/update/optimizer.js";
import { temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output } from "../support/cli.js";
import { float32, readTensors, recorded, writeExcerpt, writeRun } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";
import { fullTier, sized } from "../support/tier.js";

const folder = temporaryFolder();
const window = recorded("rlvr/early");
/** Its first seven tensors, a fourteenth of the weights: a run by recipes takes seconds for all. */
const excerpt = await writeExcerpt(join(folder, "excerpt"), "rlvr/early", (i) => i < 7);
const some = sized({ quick: excerpt, full: window });
const byAdamw = ["--optimizer", "adamw", "--lr", "1e-5", "--betas", "0.9,0.95"];

async function result(...args: string[]): Promise<Result> {
  const json = JSON.parse(await output("run", ...args, "--json", "-"));
  expectValid("result", json);
  return json;
}

/** The numbers of a tensor that was written as bf16. */
function bfloat16(data: ArrayBufferView): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / 2 }, (_, i) => {
    const bits = Uint32Array.of(view.getUint16(2 * i, true) << 16);
    return new Float32Array(bits.buffer)[0];
  });
}

describe("run --optimizer", () => {
  test("recipes side by side, on the gradients of a recorded run", async () => {
    const names = ["torch-2.13-cpu-for-loop", "torch-2.13-cuda-fused", "master", "fp32"];
    const { cases, settings } = await result(some, ...byAdamw, "--recipe", names.join());
    expect(settings.optimizer).toMatchObject({
      name: "adamw",
      lr: 1e-5,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weightDecay: 0,
    });
    expect(cases.map(({ recipe, format }) => [recipe?.name, format, recipe?.verified === null])).toEqual([
      ["torch-2.13-cpu-for-loop", "bf16", false],
      ["torch-2.13-cuda-fused", "bf16", false],
      ["master", "bf16", false],
      ["fp32", "fp32", false],
    ]);
    // The recorded updates are those of the fp32 recipe.
    const recorded = await result(some, "--scheme", "master");
    const { none, lost, kept, moved } = recorded.cases[0].totals;
    expect(cases[2].totals).toMatchObject({ none, lost, kept, moved });
    if (fullTier) expect([none, lost, kept, moved]).toEqual([768, 45, 199712, 7859]);
  });

  test.each(
    sized({
      quick: [[excerpt, "recipes-excerpt.txt"]],
      full: [
        [excerpt, "recipes-excerpt.txt"],
        [window, "recipes.txt"],
      ],
    }),
  )("the table says what stood still and why, and which recipes are unverified", async (input, file) => {
    const recipes = "torch-2.13-cpu-for-loop,torch-2.13-cpu-foreach,collage-plus,fp32";
    const table = await output("run", input, ...byAdamw, "--recipe", recipes);
    await expect(table).toMatchFileSnapshot(file);
    expect(Math.max(...table.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  test("the help lists the recipes of every optimizer, with a star where none was compared", async () => {
    const help = (await output("run", "--help")).replace(/\s+/g, " ");
    const [listed] = help.match(/computed with; adamw: .* \(\* not compared/) ?? [""];
    for (const [optimizer, known] of Object.entries(recipes)) {
      const names = [...known.values()].map(({ name, verified }) => (verified === null ? `${name}*` : name));
      expect(listed).toContain(`${optimizer}: ${names.join(", ")}`);
    }
    expect(listed).toMatch(/torch-2\.13-cuda-fused, .* kahan\*/);
  });

  test("the defaults are master and fp32; every optimizer has them", async () => {
    for (const optimizer of ["adamw", "sgd", "lion"]) {
      const { cases } = await result(excerpt, "--optimizer", optimizer, "--lr", "1e-5");
      expect(cases.map(({ recipe }) => recipe?.name)).toEqual(["master", "fp32"]);
    }
  });

  test("formats make a grid with recipes; fp32 is one case of it", async () => {
    const { cases } = await result(some, ...byAdamw, "--recipe", "master,fp32", "--format", "bf16,fp16");
    expect(cases.map(({ format }) => format)).toEqual(["bf16", "fp16", "fp32"]);
  });

  test("weights and gradients may be named apart", async () => {
    const [base, gradients] = ["base", "gradients"].map((name) => join(some, `${name}.safetensors`));
    const apart = await result("--weights", base, "--gradients", gradients, ...byAdamw);
    expect(apart.cases).toEqual((await result(some, ...byAdamw)).cases);
  });

  test("shards add up: causes, moments and partings too", async () => {
    const recipes = ["--recipe", "torch-2.13-cpu-for-loop,kahan", "--quiet"];
    const saved: string[] = [];
    for (const part of [0, 1]) {
      const mine = (i: number) => i % 2 === part && (fullTier || i < 7);
      const shard = await writeExcerpt(join(folder, `shard-${part}`), "rlvr/early", mine);
      saved.push(join(shard, "result.json"));
      await output("run", shard, ...byAdamw, ...recipes, "--json", saved[part]);
    }
    const merged: Result = JSON.parse(await output("report", ...saved, "--json", "-"));
    expectValid("result", merged);
    const whole = await result(some, ...byAdamw, ...recipes);
    for (const [i, { tensors: _, ...counts }] of whole.cases.entries()) {
      const { tensors: __, ...sum } = merged.cases[i];
      expect(sum).toEqual(counts);
    }
  });

  test.each<[string, string[], RegExp]>([
    ["an unknown recipe", ["run", window, ...byAdamw, "--recipe", "torch-1"], /unknown recipe "torch-1"/],
    [
      "a step that does not train",
      ["run", excerpt, "--optimizer", "sgd", "--lr", "1", "--recipe", "torch-2.13-cpu-fused"],
      /recipe torch-2\.13-cpu-fused of sgd is not imitated: .* up to 2\.13 \(pytorch#191763\)/,
    ],
    [
      "a recipe without optimizer",
      ["run", window, "--recipe", "fp32"],
      /--recipe is for updates computed by/,
    ],
    [
      "a weight decay without",
      ["run", window, "--weight-decay", "1"],
      /--weight-decay is for updates computed/,
    ],
    [
      "a scheme with a recipe",
      ["run", window, ...byAdamw, "--scheme", "kahan"],
      /--scheme is for recorded updates/,
    ],
    [
      "updates with an optimizer",
      ["run", ...byAdamw, "--weights", "w", "--updates", "u"],
      /--weights and --gradients go/,
    ],
    [
      "one beta",
      ["run", window, "--optimizer", "adamw", "--lr", "1", "--betas", "0.9"],
      /expected two numbers/,
    ],
    ["two cases to write", ["run", window, "--write-weights", "w.safetensors"], /takes one case, found 2/],
  ])("%s is refused", async (_, args, message) => {
    await expectUsageError(args, message);
  });
});

describe("run --write-weights", () => {
  test("writes the very weights that the optimizer ends with", async () => {
    const weights = Float32Array.from({ length: 9000 }, (_, i) => Math.sin(i) / 10);
    const gradients = [0, 1, 2].map((step) => weights.map((_, i) => Math.cos(i * (step + 1))));
    const tensors = gradients.map((gradient, step) => float32(`step${step}/w`, gradient));
    const base = await writeRun(join(folder, "run"), [float32("w", weights)], tensors);
    const written = join(folder, "end.safetensors");
    const recipe = "torch-2.13-cpu-for-loop";
    const inputs = [
      "--weights",
      join(base, "base.safetensors"),
      "--gradients",
      join(base, "updates.safetensors"),
    ];
    await output(
      "run",
      ...inputs,
      "--optimizer",
      "adamw",
      "--lr",
      "1e-3",
      "--recipe",
      recipe,
      "--write-weights",
      written,
      "--quiet",
    );

    const optimizer = adamw({ recipe, lr: 1e-3 });
    let state = optimizer.init(weights);
    for (const gradient of gradients) state = optimizer.step(state, gradient);
    const [tensor] = readTensors(written);
    expect(tensor).toMatchObject({ name: "w", dtype: "BF16", shape: [9000] });
    expect(bfloat16(tensor.data)).toEqual(Array.from(state.values.p));
  });

  test("of recorded updates: every tensor, and bf16, fp16 and fp32 as their dtypes", async () => {
    for (const [format, dtype] of [
      ["bf16", "BF16"],
      ["fp16", "F16"],
      ["fp32", "F32"],
      ["e4m3fn", "F8_E4M3"],
    ]) {
      const written = join(folder, `${format}.safetensors`);
      await output(
        "run",
        window,
        "--format",
        format,
        "--scheme",
        "in-place",
        "--write-weights",
        written,
        "--quiet",
      );
      const tensors = readTensors(written);
      expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set([dtype]));
      expect(tensors.map(({ name }) => name)).toEqual(
        readTensors(join(window, "base.safetensors")).map(({ name }) => name),
      );
    }
    // A run over what was written starts where it ended: no weight is altered by the cast.
    const again = await result(
      "--weights",
      join(folder, "bf16.safetensors"),
      "--updates",
      join(window, "updates.safetensors"),
    );
    expect(again.cases[0].totals.castChanged).toBe(0);
  });

  test("never onto its inputs, nor a format without a dtype; nothing is left behind", async () => {
    const base = await writeRun(join(folder, "own"), [float32("w", [1])], [float32("step0/w", [1])]);
    const input = join(base, "base.safetensors");
    const before = readFileSync(input);
    const one = ["run", base, "--scheme", "in-place", "--write-weights"];
    const found = `the input ${JSON.stringify(input)}`;
    await expectRefusal([...one, input], input, "another file than the inputs", found);
    expect(readFileSync(input)).toEqual(before);
    const weightsFile = join(base, "end.safetensors");
    await expectRefusal(
      [...one, weightsFile, "--format", "e2m1fn"],
      weightsFile,
      "a format that --write-weights can store (fp32, fp16, bf16, e4m3fn, e5m2, e4m3fnuz, e5m2fnuz)",
      "e2m1fn",
    );
    expect(readdirSync(base).sort()).toEqual(["base.safetensors", "updates.safetensors"]);
  });
});
