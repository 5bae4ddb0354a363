import { closeSync, openSync, renameSync, truncateSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { openCheckpoint } from "../../src/source/checkpoint.js";
import { FilePool } from "../../src/source/file-pool.js";
import { openRecording } from "../../src/source/recording.js";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { expectSentence, put, rawFile, temporaryFolder } from "./support.js";

const counted = vi.hoisted(() => {
  // The files of a group share their modules: these are loaded again, so that they open by what is mocked below.
  vi.resetModules();
  return { open: 0, most: 0, opened: 0 };
});

vi.mock("node:fs", async (original) => {
  const actual = await original<typeof import("node:fs")>();
  function openSync(...args: Parameters<typeof actual.openSync>) {
    const descriptor = actual.openSync(...args);
    counted.opened++;
    counted.most = Math.max(counted.most, ++counted.open);
    return descriptor;
  }
  function closeSync(descriptor: number) {
    actual.closeSync(descriptor);
    counted.open--;
  }
  return { ...actual, openSync, closeSync };
});

afterAll(() => {
  vi.doUnmock("node:fs");
  vi.resetModules();
});

const folder = temporaryFolder();

describe("FilePool", () => {
  test("reads many files at the same time with few open", async () => {
    const pool = new FilePool(4);
    const paths = Array.from({ length: 191 }, (_, i) => put(folder, `shard-${i}`, Uint8Array.of(i, i + 1)));
    const sources = await Promise.all(paths.map((path) => pool.source(path)));
    expect(sources.map(({ name, size }) => [name, size])).toEqual(paths.map((path) => [path, 2]));
    const bytes = sources.map(() => new Uint8Array(1));
    await Promise.all(sources.map((source, i) => source.read(1, bytes[i])));
    expect(bytes.map(([byte]) => byte)).toEqual(paths.map((_, i) => (i + 1) % 256));
    expect(counted.most).toBe(4);
    await pool.close();
    expect(counted.open).toBe(0);
  });

  test("keeps a file open between reads", async () => {
    const pool = new FilePool();
    const source = await pool.source(put(folder, "kept", "abc"));
    const before = counted.opened;
    for (let i = 0; i < 3; i++) await source.read(i, new Uint8Array(1));
    expect(counted.opened).toBe(before);
    await pool.close();
  });

  test("reads beyond 4 GiB", async () => {
    const path = put(folder, "large", "");
    truncateSync(path, 5e9);
    const file = openSync(path, "r+");
    writeSync(file, "end", 5e9 - 3);
    closeSync(file);
    const pool = new FilePool();
    const into = new Uint8Array(4);
    await (await pool.source(path)).read(5e9 - 4, into);
    expect([...into]).toEqual([0, 101, 110, 100]);
    await pool.close();
  });

  test("close waits for reads under way, may come twice, and ends reading", async () => {
    const pool = new FilePool();
    const source = await pool.source(put(folder, "closed", "abc"));
    const into = new Uint8Array(3);
    const read = source.read(0, into);
    await Promise.all([pool.close(), pool.close()]);
    await read;
    expect([...into]).toEqual([97, 98, 99]);
    await expect(source.read(0, into)).rejects.toThrow("was closed");
    expect(counted.open).toBe(0);
  });

  test("a file cut off since it was opened is no row of zeros", async () => {
    const pool = new FilePool();
    const path = put(folder, "cut", new Uint8Array(100).fill(1));
    const source = await pool.source(path);
    truncateSync(path, 60);
    await source.read(50, new Uint8Array(10));
    await expectSentence(
      source.read(50, new Uint8Array(20)),
      path,
      "20 bytes from byte 50 on",
      "the end of the file after 10 (cut off since it was opened?)",
    );
    await source.read(0, new Uint8Array(60));
    await pool.close();
  });

  test("a file that another one replaced is not read on", async () => {
    const pool = new FilePool(1);
    const path = put(folder, "replaced", "old");
    const source = await pool.source(path);
    renameSync(put(folder, "new", "newer"), path);
    const into = new Uint8Array(3);
    await source.read(0, into);
    expect(new TextDecoder().decode(into)).toBe("old");
    await pool.source(put(folder, "next", "next"));
    await expectSentence(
      source.read(0, into),
      path,
      "the file as it was when it was opened",
      "another one, or one written to since",
    );
    await pool.close();
  });

  test.each([
    ["nothing", "missing", "nothing there"],
    ["a folder", ".", "a folder"],
    ["a path through a file", join("a-file", "x"), "a path that leads through a file"],
    ["a name too long", "n".repeat(300), "a name that is too long"],
    ["a null character", "nu\0ll", "a path with a null character"],
  ])("one sentence for %s", async (_, name, found) => {
    put(folder, "a-file", "");
    const path = join(folder, name);
    await expectSentence(new FilePool().source(path), path.replace("\0", "\\u0000"), "a file", found);
  });

  test("one sentence for a device", async () => {
    await expectSentence(new FilePool().source(devNull), devNull, "a file", "a pipe, socket or device");
  });
});

test("what cannot be opened is closed", async () => {
  const weights = put(folder, "w.safetensors", encodeSafetensors([]));
  const updates = put(folder, "u.safetensors", rawFile("[]"));
  await expect(openCheckpoint(updates)).rejects.toThrow("an array");
  expect(counted.open).toBe(0);
  await expect(openRecording({ weights, updates })).rejects.toThrow("an array");
  expect(counted.open).toBe(0);
});
