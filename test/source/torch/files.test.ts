import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../../../src/source/checkpoint.js";
import { output } from "../../support/cli.js";
import { pickle, tensorPickle, torchFile } from "../../support/torch-files.js";
import { expectSentence, put, temporaryFolder } from "../support.js";

const data = (name: string) => fileURLToPath(new URL(`../../data/torch/${name}`, import.meta.url));
const folder = temporaryFolder();

/** All tensors by name: dtype, shape, numbers, read in pieces of seven. */
async function contents(path: string) {
  const { tensors, close } = await openCheckpoint(path);
  const all: Record<string, unknown> = {};
  for (const { name, dtype, shape, elements, values } of tensors.values()) {
    const numbers: number[] = [];
    for (let at = 0; at < elements; at += 7) {
      const piece = new Float64Array(Math.min(7, elements - at));
      await values!.read(at, piece);
      numbers.push(...piece);
    }
    all[name] = { dtype: dtype.name, shape, numbers };
  }
  await close();
  return all;
}

describe("what PyTorch 2.13 wrote holds the numbers of its twin in safetensors", () => {
  it.each([
    ["tuned.pt", "tuned.safetensors"],
    ["trainer-checkpoint.pt", "tuned.safetensors"],
    ["bin", "tuned.safetensors"],
    ["bin/pytorch_model.bin.index.json", "tuned.safetensors"],
    ["views.pt", "views.safetensors"],
    ["dcp-2-ranks", "master-fp32.safetensors"],
    ["verl", "master-fp32.safetensors"],
    ["dcp-hf-sharded", "master-fp32.safetensors"],
  ])("%s: %s", async (path, twin) => {
    const found = await contents(data(path));
    expect(Object.keys(found).length).toBeGreaterThan(1);
    expect(found).toEqual(await contents(data(twin)));
  });

  it("the part of a checkpoint that holds the model is told, and moments are none of it", async () => {
    const { within, tensors, close } = await openCheckpoint(data("trainer-checkpoint.pt"));
    expect(within).toBe("model");
    expect([...tensors.keys()].filter((name) => /exp_avg|step/.test(name))).toEqual([]);
    await close();
  });
});

it("counters among the weights of ranks are listed with the dtype that is not read", async () => {
  const ranks = join(folder, "ranks");
  mkdirSync(ranks);
  const counter = tensorPickle({ storage: "LongStorage", elements: 2, shape: [2] });
  const root = pickle.dict(pickle.string("w"), tensorPickle({ key: "1" }), pickle.string("steps"), counter);
  for (const rank of [0, 1]) {
    const bytes = torchFile(root, { 0: new Uint8Array(16), 1: new Uint8Array(16) });
    put(ranks, `model_world_size_2_rank_${rank}.pt`, bytes);
  }
  const { tensors, close } = await openCheckpoint(ranks);
  expect(
    [...tensors.values()].map(({ name, dtype, shape, values }) => [name, dtype.name, shape, values?.length]),
  ).toEqual([
    ["w", "F32", [4], 4],
    ["steps", "I64", [2], undefined],
  ]);
  await close();
});

describe("diff", () => {
  const diff = async (before: string, after: string) =>
    JSON.parse(await output("diff", data(before), data(after), "--json", "-"));

  it.each(["tuned.pt", "trainer-checkpoint.pt", "bin"])("%s: the counts of its twin", async (after) => {
    const [found, expected] = await Promise.all([
      diff("base.safetensors", after),
      diff("base.safetensors", "tuned.safetensors"),
    ]);
    expect(found.totals).toEqual(expected.totals);
    expect(found.tensors).toEqual(expected.tensors);
    expect(found.totals.unchanged).toBeGreaterThan(0);
    expect(found.totals.changed).toBeGreaterThan(0);
  });

  it.each(["dcp-2-ranks", "verl", "dcp-hf-sharded"])("%s: every number equal", async (after) => {
    const { totals, skipped } = await diff("master-fp32.safetensors", after);
    expect(totals).toMatchObject({ changed: 0, unchanged: totals.elements, elements: 2384 });
    expect(skipped).toEqual([]);
  });

  it("says which part of a file was compared", async () => {
    const { input } = await diff("base.safetensors", "trainer-checkpoint.pt");
    expect(input).toMatchObject({ after: { within: "model" } });
    expect(input.before).not.toHaveProperty("within");
    const table = await output("diff", data("base.safetensors"), data("trainer-checkpoint.pt"));
    expect(table).toContain('Of AFTER, the tensors within "model" were compared.');
  });
});

describe("refused, in one sentence", () => {
  it("the format before 1.6, with the way out", () =>
    expectSentence(
      openCheckpoint(data("legacy.pt")),
      data("legacy.pt"),
      "a safetensors file, or one of torch.save",
      "a pickle without an archive, as torch.save wrote before 1.6: torch.load it and torch.save it again",
    ));

  it("a file that would call os.system, by the name of that", () =>
    expectSentence(
      openCheckpoint(data("calls-os-system.pt")),
      data("calls-os-system.pt"),
      "tensors and plain values",
      '"posix.system", which would run code; nothing was run',
    ));

  it("one rank's file alone", () =>
    expectSentence(
      openCheckpoint(data("verl/model_world_size_2_rank_0.pt")),
      data("verl/model_world_size_2_rank_0.pt"),
      "whole tensors",
      'a part of "model.embed_tokens.weight": give the folder of all ranks',
    ));

  it("a folder in which a rank's file is missing", async () => {
    const verl = join(folder, "verl");
    cpSync(data("verl"), verl, { recursive: true });
    rmSync(join(verl, "model_world_size_2_rank_1.pt"));
    await expectSentence(
      openCheckpoint(verl),
      verl,
      '"model_world_size_2_rank_1.pt", one of 2',
      "no such file",
    );
    const dcp = join(folder, "dcp");
    cpSync(data("dcp-2-ranks"), dcp, { recursive: true });
    rmSync(join(dcp, "__1_0.distcp"));
    await expectSentence(openCheckpoint(dcp), join(dcp, "__1_0.distcp"), "a file", "nothing there");
    const shards = join(folder, "shards");
    cpSync(data("dcp-hf-sharded"), shards, { recursive: true });
    rmSync(join(shards, "shard-00001-model-00001-of-00001.safetensors"));
    await expectSentence(
      openCheckpoint(shards),
      shards,
      'all of "lm_head.weight", of shape [37, 16]',
      "parts with 288 of its 592 elements",
    );
  });
});
