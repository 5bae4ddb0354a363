import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../src/source/checkpoint.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { run } from "../support/cli.js";
import { expectSentence, put, temporaryFolder } from "./support.js";

const root = temporaryFolder();
let folders = 0;

function folder(...names: string[]): string {
  const path = join(root, String(folders++), ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

function tensor(name: string, ...numbers: number[]): TensorToWrite {
  return { name, dtype: "F32", shape: [numbers.length], data: Float32Array.from(numbers) };
}

const file = (...tensors: TensorToWrite[]) => encodeSafetensors(tensors);
const index = (map: Record<string, string>) => JSON.stringify({ weight_map: map });

/** Numbers by name, and what is told of the choice. */
async function opened(path: string) {
  const { tensors, skipped, notes, close } = await openCheckpoint(path);
  const numbers: Record<string, number[]> = {};
  for (const { name, values } of tensors.values()) {
    const into = new Float32Array(values!.length);
    await values!.read(0, into);
    numbers[name] = [...into];
  }
  await close();
  return { numbers, skipped, notes };
}

const whatIsRead = "a file of safetensors or torch.save, its index, or a folder with one of them";

describe("numbered shards without an index", () => {
  test("are one checkpoint", async () => {
    const path = folder();
    put(path, "model-00002-of-00002.safetensors", file(tensor("b", 2)));
    put(path, "model-00001-of-00002.safetensors", file(tensor("a", 1)));
    expect(await opened(path)).toEqual({ numbers: { a: [1], b: [2] }, skipped: [], notes: [] });
  });

  test("counted from 0, without leading zeros", async () => {
    const path = folder();
    for (let n = 0; n < 3; n++) put(path, `weights-${n}-of-3.safetensors`, file(tensor(`t${n}`, n)));
    expect((await opened(path)).numbers).toEqual({ t0: [0], t1: [1], t2: [2] });
  });

  test("one that is missing is named", async () => {
    const path = folder();
    for (const n of [1, 4]) put(path, `model-0000${n}-of-00004.safetensors`, file(tensor(`t${n}`, n)));
    await expectSentence(
      openCheckpoint(path),
      path,
      'all shards of "model-00001-of-00004.safetensors"',
      "2 of 4 shards: numbers 2, 3 of 4 are missing",
    );
  });

  test("a tensor in two of them", async () => {
    const path = folder();
    const [, second] = [1, 2].map((n) =>
      put(path, `model-0000${n}-of-00002.safetensors`, file(tensor("w", n))),
    );
    await expectSentence(
      openCheckpoint(path),
      second,
      '"w" in one shard',
      'it in "model-00001-of-00002.safetensors" too',
    );
  });
});

describe("of several models in a folder", () => {
  test("model.safetensors is taken, and that is told", async () => {
    const path = folder();
    put(path, "model.safetensors", file(tensor("a", 1)));
    put(path, "model.fp16.safetensors", file(tensor("a", 2)));
    put(path, "consolidated.safetensors", file(tensor("b", 3)));
    expect(await opened(path)).toEqual({
      numbers: { a: [1] },
      skipped: [],
      notes: ['"model.safetensors" was taken, not "consolidated.safetensors", "model.fp16.safetensors"'],
    });
  });

  test("of two indexes model.safetensors.index.json", async () => {
    const path = folder();
    for (const [stem, name] of [
      ["model", "a"],
      ["consolidated", "b"],
    ]) {
      put(path, `${stem}-00001-of-00001.safetensors`, file(tensor(name, 1)));
      put(path, `${stem}.safetensors.index.json`, index({ [name]: `${stem}-00001-of-00001.safetensors` }));
    }
    const { numbers, skipped, notes } = await opened(path);
    expect(numbers).toEqual({ a: [1] });
    expect(skipped).toEqual([]);
    expect(notes).toEqual([
      '"model.safetensors.index.json" was taken, not "consolidated.safetensors.index.json"',
      '"model.safetensors.index.json" does not name "consolidated-00001-of-00001.safetensors": not compared',
    ]);
  });

  test("shards named model before others", async () => {
    const path = folder();
    for (const stem of ["model", "consolidated"])
      put(path, `${stem}-1-of-1.safetensors`, file(tensor(stem, 1)));
    for (const n of [1, 2]) put(path, `model-${n}-of-2.safetensors`, file(tensor(`t${n}`, n)));
    const { numbers, notes } = await opened(path);
    expect(numbers).toEqual({ t1: [1], t2: [2] });
    expect(notes[0]).toMatch(/^"model-1-of-2.safetensors" was taken, not /);
  });
});

describe("an index", () => {
  test("names shards in folders below its own", async () => {
    const path = folder();
    mkdirSync(join(path, "text"));
    put(join(path, "text"), "s.safetensors", file(tensor("a", 1)));
    put(path, "m.safetensors.index.json", index({ a: "text/s.safetensors" }));
    expect((await opened(path)).numbers).toEqual({ a: [1] });
  });

  test("names a tensor that no shard has: it is listed, and an error with --strict", async () => {
    const path = folder();
    put(path, "s.safetensors", file(tensor("a", 1)));
    put(path, "m.safetensors.index.json", index({ a: "s.safetensors", "mtp.fc": "s.safetensors" }));
    expect((await opened(path)).skipped).toEqual([
      { name: "mtp.fc", reason: 'is named by the index in "s.safetensors", which does not have it' },
    ]);
    const { stderr, status } = await run(["diff", path, path, "--strict"]);
    expect(status).toBe(2);
    expect(stderr).toContain('tensor "mtp.fc": is named by the index');
  });

  test("leaves out a shard of its model: its tensors are listed, with their weights", async () => {
    const path = folder();
    put(path, "model-1-of-2.safetensors", file(tensor("a", 1)));
    put(path, "model-mtp.safetensors", file(tensor("mtp", 1, 2), tensor("a", 9)));
    put(path, "model.safetensors.index.json", index({ a: "model-1-of-2.safetensors" }));
    const { numbers, skipped } = await opened(path);
    expect(numbers).toEqual({ a: [1] });
    const reason = 'lies in "model-mtp.safetensors", which the index does not name';
    expect(skipped).toEqual([
      { name: "mtp", reason, elements: 2 },
      { name: "a", reason },
    ]);
  });
});

describe("a cache of the hub", () => {
  function cache(link: (target: string, path: string) => void, main = "1f2e\n"): string {
    const path = folder("models--org--name");
    for (const part of ["refs", "blobs", "snapshots/1f2e"]) mkdirSync(join(path, part), { recursive: true });
    put(path, "refs/main", main);
    put(path, "blobs/aa", index({ w: "model-00001-of-00001.safetensors" }));
    put(path, "blobs/bb", file(tensor("w", 7)));
    const snapshot = join(path, "snapshots/1f2e");
    link("../../blobs/aa", join(snapshot, "model.safetensors.index.json"));
    link("../../blobs/bb", join(snapshot, "model-00001-of-00001.safetensors"));
    return path;
  }

  test.each([
    ["links", symlinkSync],
    [
      "links that were copied as their texts",
      (target: string, path: string) => cpSync(put(root, "text", target), path),
    ],
  ] as const)("with %s", async (_, link) => {
    const path = cache(link);
    expect(await opened(path)).toEqual({
      numbers: { w: [7] },
      skipped: [],
      notes: ['"snapshots/1f2e" was taken, as refs/main says'],
    });
    expect((await opened(join(path, "snapshots/1f2e"))).numbers).toEqual({ w: [7] });
    const shard = join(path, "snapshots/1f2e/model-00001-of-00001.safetensors");
    expect((await opened(shard)).numbers).toEqual({ w: [7] });
  });

  test("whose main name leads elsewhere", async () => {
    const path = cache(symlinkSync, "../../etc");
    await expectSentence(
      openCheckpoint(path),
      join(path, "refs", "main"),
      "the name of a snapshot",
      '"../../etc"',
    );
  });

  test("without a main one", async () => {
    const path = folder();
    for (const part of ["blobs", "snapshots"]) mkdirSync(join(path, part));
    await expectSentence(
      openCheckpoint(path),
      join(path, "refs", "main"),
      "the name of a snapshot, or give one of snapshots/",
      "nothing there",
    );
  });
});

describe("what it is, and the way out", () => {
  const torch = "a safetensors file, or one of torch.save";
  test.each<[string, string | Uint8Array, string]>([
    [
      "a Git LFS pointer",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
      "a Git LFS pointer: `git lfs pull` fetches the file that it stands for",
    ],
    ["GGUF", "GGUF\u0003\0\0\0\0\0\0\0", "a GGUF file: give the checkpoint that it was made from"],
    ["a web page", "<!DOCTYPE html><html>", "a web page, which the download gave in place of the file"],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), "a gzip file: unpack it"],
    [
      "random bytes",
      Uint8Array.of(0x9a, 0x01, 0xff, 0x37, 0x6e, 0x42, 0xd0, 0xc1, 0x11, 0x22),
      "another kind of file, which begins with the bytes 9a 01 ff 37 6e 42 d0 c1",
    ],
  ])("%s", async (_, contents, found) => {
    const path = put(folder(), "model.safetensors", contents);
    await expectSentence(openCheckpoint(path), path, torch, found);
  });

  test("a file that is cut off, in its data and in its header", async () => {
    const whole = file(tensor("w", 1, 2, 3, 4), tensor("v", 5));
    for (const length of [whole.length - 1, whole.length - 18]) {
      const path = put(folder(), "w", whole.subarray(0, length));
      const found = `a file that is cut off: ${length} of ${whole.length} bytes`;
      await expectSentence(openCheckpoint(path), path, "all bytes that the header speaks of", found);
    }
    const path = put(folder(), "w", whole.subarray(0, 30));
    const header = whole.length - 8 - 20;
    await expectSentence(
      openCheckpoint(path),
      path,
      `a header of ${header} bytes, as the file says`,
      `a file that is cut off: 30 of at least ${8 + header} bytes`,
    );
  });

  test("a configuration in place of an index", async () => {
    const path = put(folder(), "config.json", '{"hidden_size": 8}');
    await expectSentence(
      openCheckpoint(path),
      path,
      "a weight_map",
      "a model's configuration: give its folder",
    );
  });

  test("a folder without a model", async () => {
    const path = folder();
    put(path, "config.json", "{}");
    await expectSentence(openCheckpoint(path), path, whatIsRead, "a folder with neither");
  });
});
