import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { threadsWorthStarting } from "../../../src/source/pair/threads.js";
import { temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const many = Math.min(availableParallelism(), 8);

/** A folder with files of these sizes, all holes. */
function folderOf(name: string, sizes: Readonly<Record<string, number>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, size] of Object.entries(sizes)) {
    writeFileSync(join(path, file), "");
    truncateSync(join(path, file), size);
  }
  return path;
}

const half = 2 ** 25;
const sharded = folderOf("sharded", {
  "1.safetensors": half / 2,
  "2.safetensors": half / 2,
  "model.safetensors.index.json": 100,
});
const other = folderOf("other", { "pytorch_model.bin": 2 ** 30 });

test("one a core for 64 MiB of both sides together, however they are named", () => {
  const index = join(sharded, "model.safetensors.index.json");
  for (const path of [sharded, index]) expect(threadsWorthStarting([path, path])).toBe(many);
  const shard = join(sharded, "1.safetensors");
  expect(threadsWorthStarting([shard, shard, shard, shard])).toBe(many);
});

test("one for less, and for what is no checkpoint: that is told when it is opened", () => {
  expect(threadsWorthStarting([sharded])).toBe(1);
  expect(threadsWorthStarting([other, other])).toBe(1);
  expect(threadsWorthStarting([join(folder, "nothing there"), join(sharded, "1.safetensors", "x")])).toBe(1);
});
