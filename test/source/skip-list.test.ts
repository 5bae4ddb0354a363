import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openPair } from "../../src/source/pair/open-pair.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { SkipList } from "../../src/source/skip-list.js";
import { expectSentence, put, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const f32 = (name: string, ...numbers: number[]): TensorToWrite => ({
  name,
  dtype: "F32",
  shape: [numbers.length],
  data: Float32Array.from(numbers),
});
const integers: TensorToWrite = { name: "odd", dtype: "I32", shape: [1], data: Int32Array.of(1) };

/** A checkpoint in two shards; the index names what `named` says. */
function sharded(
  name: string,
  shards: readonly (readonly TensorToWrite[])[],
  named: Record<string, number>,
): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [i, tensors] of shards.entries()) put(path, `${i}.safetensors`, encodeSafetensors(tensors));
  const map = Object.fromEntries(Object.entries(named).map(([tensor, i]) => [tensor, `${i}.safetensors`]));
  put(path, "m.safetensors.index.json", JSON.stringify({ weight_map: map }));
  return path;
}

describe("a tensor that is left out is listed once", () => {
  test("with its first reason, whoever adds it", () => {
    const list = new SkipList(false);
    list.add("f", "a", "first", 3);
    list.add("g", "a", "second");
    list.add("g", "b", "other");
    expect(list.tensors).toEqual([
      { name: "a", reason: "first", elements: 3 },
      { name: "b", reason: "other" },
    ]);
  });

  test("of a recording: unnamed weights with updates, and copies of what is left out", async () => {
    const shards = [
      [f32("w", 1), f32("unnamed", 1, 2), integers],
      [integers, f32("x", 1)],
    ];
    const weights = sharded("base", shards, { w: 0, odd: 0, x: 1 });
    const steps = ["w", "unnamed", "odd", "x"].map((name) =>
      f32(`step0/${name}`, ...(name === "unnamed" ? [1, 1] : [1])),
    );
    const updates = put(folder, "updates.safetensors", encodeSafetensors(steps));
    const recording = await openRecording({ weights, updates });
    await recording.close();
    expect(recording.tensors.map(({ name }) => name)).toEqual(["w", "x"]);
    expect(recording.skipped.map(({ name, elements }) => [name, elements])).toEqual([
      ["unnamed", 2],
      ["odd", 1],
    ]);
    expect(recording.skipped[0].reason).toMatch(/where the index does not name it$/);
    expect(recording.skipped[1].reason).toMatch(/^its dtype is I32/);
  });

  test("of two checkpoints that both leave it out", async () => {
    // Of integers those of one dtype are compared by their bytes.
    const shards = (odd: TensorToWrite) => [
      [f32("w", 1), f32("unnamed", 1)],
      [odd, f32("v", 1)],
    ];
    const [a, b] = [integers, { ...integers, dtype: "U32" }].map((odd) =>
      sharded(odd.dtype, shards(odd), { w: 0, odd: 1, v: 1 }),
    );
    const pair = await openPair(a, b);
    await pair.close();
    expect(pair.tensors.map(({ name }) => name)).toEqual(["w", "v"]);
    expect(pair.skipped.map(({ name }) => name)).toEqual(["unnamed", "odd"]);
  });
});

describe("a folder of a recorded run that has a part in two ways", () => {
  test("is told as that, by run and by diff", async () => {
    const path = join(folder, "ambiguous");
    mkdirSync(path);
    put(path, "base.safetensors", encodeSafetensors([f32("w", 1)]));
    put(path, "updates.safetensors", encodeSafetensors([f32("step0/w", 1)]));
    mkdirSync(join(path, "updates"));
    const expected = "updates.safetensors, updates.safetensors.index.json or a folder updates";
    const found = "updates.safetensors and updates";
    await expectSentence(recordedRun(path), path, expected, found);
    await expectSentence(openPair(path, path), path, expected, found);
  });
});
