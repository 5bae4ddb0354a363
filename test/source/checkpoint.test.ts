import { mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Checkpoint, openCheckpoint } from "../../src/source/checkpoint.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { expectSentence, put, temporaryFolder } from "./support.js";

const root = temporaryFolder();
let folders = 0;

function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}

function tensor(name: string, ...numbers: number[]): TensorToWrite {
  return { name, dtype: "F32", shape: [numbers.length], data: Float32Array.from(numbers) };
}

function index(weightMap: Record<string, string>): string {
  return JSON.stringify({ metadata: { total_size: 12 }, weight_map: weightMap });
}

async function contents(checkpoint: Checkpoint): Promise<Record<string, number[]>> {
  const all: [string, number[]][] = [];
  for (const { name, values } of checkpoint.tensors.values()) {
    const into = new Float32Array(values!.length);
    await values!.read(0, into);
    all.push([name, [...into]]);
  }
  await checkpoint.close();
  return Object.fromEntries(all);
}

const tensors = [tensor("a", 1, 2), tensor("b", 3), tensor("c", 4, 5, 6)];

/** The same tensors as two shards and an index. */
function sharded(path: string): string {
  put(path, "model-1.safetensors", encodeSafetensors([tensors[0], tensors[2]], { format: "pt" }));
  put(path, "model-2.safetensors", encodeSafetensors([tensors[1]], { lr: "1" }));
  const map = { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" };
  return put(path, "model.safetensors.index.json", index(map));
}

describe("openCheckpoint", () => {
  test("a file, and the folder of the file", async () => {
    const path = folder();
    const file = put(path, "model.safetensors", encodeSafetensors(tensors, { format: "pt" }));
    put(path, "config.json", "{}");
    const opened = await openCheckpoint(path);
    expect([...opened.metadata]).toEqual([["format", "pt"]]);
    expect(opened.tensors.get("a")!.file).toBe(file);
    const all = await contents(opened);
    expect(all).toEqual({ a: [1, 2], b: [3], c: [4, 5, 6] });
    expect(await contents(await openCheckpoint(file))).toEqual(all);
  });

  test("shards equal the single file, by index and by folder", async () => {
    const path = folder();
    const file = sharded(path);
    const opened = await openCheckpoint(file);
    expect([...opened.tensors.keys()]).toEqual(["a", "c", "b"]);
    expect(Object.fromEntries(opened.metadata)).toEqual({ format: "pt", lr: "1" });
    expect(opened.skipped).toEqual([]);
    const single = put(folder(), "one.safetensors", encodeSafetensors(tensors));
    const all = await contents(await openCheckpoint(single));
    expect(await contents(opened)).toEqual(all);
    expect(await contents(await openCheckpoint(path))).toEqual(all);
  });

  test("191 shards", async () => {
    const path = folder();
    const map: Record<string, string> = {};
    for (let i = 0; i < 191; i++) {
      map[`t${i}`] = `s${i}.safetensors`;
      put(path, `s${i}.safetensors`, encodeSafetensors([tensor(`t${i}`, i)]));
    }
    put(path, "m.safetensors.index.json", index(map));
    const all = await contents(await openCheckpoint(path));
    expect(Object.keys(all)).toHaveLength(191);
    expect(all.t190).toEqual([190]);
  });

  test("shards that are links, as in a model cache", async () => {
    const path = folder();
    const blob = put(path, "blob", encodeSafetensors([tensor("a", 1)]));
    symlinkSync(blob, join(path, "s.safetensors"));
    put(path, "m.safetensors.index.json", index({ a: "s.safetensors" }));
    expect(await contents(await openCheckpoint(path))).toEqual({ a: [1] });
  });

  test("lists tensors that the index does not name there", async () => {
    const path = folder();
    put(path, "s.safetensors", encodeSafetensors([tensor("a", 1), tensor("extra", 2)]));
    put(path, "t.safetensors", encodeSafetensors([tensor("a", 9), tensor("b", 3)]));
    put(path, "m.safetensors.index.json", index({ a: "s.safetensors", b: "t.safetensors" }));
    const opened = await openCheckpoint(path);
    expect(opened.skipped).toEqual([
      { name: "extra", reason: 'lies in "s.safetensors", where the index does not name it', elements: 1 },
      { name: "a", reason: 'lies in "t.safetensors", where the index does not name it' },
    ]);
    expect(await contents(opened)).toEqual({ a: [1], b: [3] });
  });
});

describe("one sentence for", () => {
  const any = "a file of safetensors or torch.save, its index, or a folder with one of them";
  const top = "at the top level of its JSON";

  test("a path with nothing there", async () => {
    const path = join(folder(), "none");
    await expectSentence(openCheckpoint(path), path, any, "nothing there");
  });

  test("an empty folder", async () => {
    const path = folder();
    put(path, "notes.txt", "");
    await expectSentence(openCheckpoint(path), path, any, "a folder with neither");
  });

  test("a folder with several files and no index", async () => {
    const path = folder();
    for (const name of ["b", "a"]) put(path, `${name}.safetensors`, "");
    await expectSentence(
      openCheckpoint(path),
      path,
      any,
      '2 to choose from: "a.safetensors", "b.safetensors"',
    );
  });

  test("a folder with several indexes", async () => {
    const path = folder();
    for (const name of "abcd") put(path, `${name}.safetensors.index.json`, "{}");
    const names = [..."abc"].map((name) => `"${name}.safetensors.index.json"`).join(", ");
    await expectSentence(openCheckpoint(path), path, any, `4 to choose from: ${names}, …`);
  });

  test("a folder where the file should be", async () => {
    const path = folder();
    mkdirSync(join(path, "model.safetensors"));
    const file = join(path, "model.safetensors");
    await expectSentence(openCheckpoint(path), file, "a file", "a folder");
  });

  const shard = "the file name of a shard for tensor";
  test.each([
    ["an empty index", "", `an object ${top}`, "the end of the text"],
    ["an index that is not JSON", "weights", `an object ${top}`, "weights"],
    ["an index that is an array", "[]", `an object ${top}`, "an array"],
    ["an index that is not UTF-8", Uint8Array.of(0x7b, 0xff), "JSON in UTF-8", "bytes that are not UTF-8"],
    ["an index without a weight_map", '{"metadata":{}}', "a weight_map", "none"],
    ["a weight_map that is an array", '{"weight_map":[]}', 'an object at "weight_map"', "an array"],
    ["a shard that is a number", '{"weight_map":{"a":1}}', 'a string at "weight_map" "a"', "1"],
    ["a tensor twice", '{"weight_map":{"a":"s","a":"t"}}', 'every key once at "weight_map"', '"a" twice'],
    [
      "a weight_map twice",
      '{"weight_map":{},"weight_map":{}}',
      `every key once ${top}`,
      '"weight_map" twice',
    ],
    ["text after the index", '{"weight_map":{}}{}', `the end of the text ${top}`, "an object"],
    [
      "deep nesting",
      `{"x":${"[".repeat(10 ** 6)}`,
      'at most 64 levels of nesting at "x" [0] [0] [0]',
      "more",
    ],
    ["a shard above", index({ a: "../s.safetensors" }), `${shard} "a"`, '"../s.safetensors"'],
    ["a shard above a folder", index({ a: "x/../../s" }), `${shard} "a"`, '"x/../../s"'],
    ["a shard in a folder without a name", index({ a: "x//s" }), `${shard} "a"`, '"x//s"'],
    ["a shard at the root", index({ a: "/etc/passwd" }), `${shard} "a"`, '"/etc/passwd"'],
    ["a shard of Windows", index({ a: "x\\s.safetensors" }), `${shard} "a"`, '"x\\\\s.safetensors"'],
    ["a shard of another drive", index({ a: "C:s.safetensors" }), `${shard} "a"`, '"C:s.safetensors"'],
    ["a shard ..", index({ a: ".." }), `${shard} "a"`, '".."'],
    ["a shard without a name", index({ a: "" }), `${shard} "a"`, '""'],
    ["a shard with a null", index({ a: "s\0" }), `${shard} "a"`, '"s\\u0000"'],
    ["a shard with an escape", index({ a: "\u001b[2J" }), `${shard} "a"`, '"\\u001b[2J"'],
    ["a shard name too long", index({ a: "s".repeat(256) }), `${shard} "a"`, `"${"s".repeat(120)}…"`],
  ])("%s", async (_, text, expected, found) => {
    const file = put(folder(), "m.safetensors.index.json", text);
    await expectSentence(openCheckpoint(file), file, expected, found);
  });

  test("an index of over 100 MB", async () => {
    const file = put(folder(), "m.safetensors.index.json", "");
    truncateSync(file, 100_000_001);
    await expectSentence(
      openCheckpoint(file),
      file,
      "an index of at most 100000000 bytes",
      "a file of 100000001 bytes",
    );
  });

  test("a shard that is missing", async () => {
    const path = folder();
    const file = put(path, "m.safetensors.index.json", index({ a: "s.safetensors" }));
    await expectSentence(openCheckpoint(file), join(path, "s.safetensors"), "a file", "nothing there");
  });

  test("a shard that is a folder", async () => {
    const path = folder();
    mkdirSync(join(path, "s.safetensors"));
    const file = put(path, "m.safetensors.index.json", index({ a: "s.safetensors" }));
    await expectSentence(openCheckpoint(file), join(path, "s.safetensors"), "a file", "a folder");
  });

  test("a shard that is not valid", async () => {
    const path = folder();
    const damaged = put(path, "s.safetensors", encodeSafetensors([tensor("a", 1, 2)]).subarray(0, -1));
    const file = put(path, "m.safetensors.index.json", index({ a: "s.safetensors" }));
    const size = encodeSafetensors([tensor("a", 1, 2)]).length;
    await expectSentence(
      openCheckpoint(file),
      damaged,
      "all bytes that the header speaks of",
      `a file that is cut off: ${size - 1} of ${size} bytes`,
    );
  });

  test("data cut off after the file was opened", async () => {
    const file = put(folder(), "m.safetensors", encodeSafetensors([tensor("a", 1, 2)]));
    const opened = await openCheckpoint(file);
    truncateSync(file, 68);
    await expectSentence(
      contents(opened),
      file,
      "8 bytes from byte 64 on",
      "the end of the file after 4 (cut off since it was opened?)",
    );
    await opened.close();
  });
});
