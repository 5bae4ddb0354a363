import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { entry, put, rawFile, temporaryFolder } from "../source/support.js";
import { expectRefusal } from "../support/cli.js";
import { float32 } from "../support/recorded.js";

const folder = temporaryFolder();
const updates = put(folder, "updates.safetensors", encodeSafetensors([float32("step0000/w", [1])]));
const good = encodeSafetensors([float32("w", [1])]);

const hostile: readonly [string, Uint8Array | string, string, string][] = [
  ["an empty file", "", "a safetensors file", "an empty file"],
  [
    "a header past the file",
    rawFile("{}", 0, 1000n),
    "a header of 1000 bytes, as the file says",
    "a file that is cut off: 10 of at least 1008 bytes",
  ],
  [
    "a header of 2^60 bytes",
    rawFile("{}", 0, 2n ** 60n),
    "a header of at most 100000000 bytes",
    `a header length of ${2 ** 60}`,
  ],
  ["a header that is no object", rawFile("[]"), "an object at the top level of its JSON", "an array"],
  [
    "an unknown dtype, its name a control sequence",
    rawFile(`{"w":${entry("\\u001b[2J", "[1]", "[0,4]")}}`, 4),
    'a safetensors dtype for tensor "w"',
    '"\\u001b[2J"',
  ],
  [
    "a shape that does not fit its bytes",
    rawFile(`{"w":${entry("F32", "[2]", "[0,4]")}}`, 4),
    '8 bytes for tensor "w" of F32 [2]',
    "4 bytes",
  ],
  [
    "tensors that overlap",
    rawFile(`{"w":${entry("F32", "[2]", "[0,8]")},"v":${entry("F32", "[1]", "[4,8]")}}`, 8),
    'tensor "v" to begin at byte 123, where the data before it ends',
    "byte 119 (they overlap)",
  ],
  [
    "data that is cut off",
    good.subarray(0, good.length - 1),
    "all bytes that the header speaks of",
    `a file that is cut off: ${good.length - 1} of ${good.length} bytes`,
  ],
];

describe("a hostile file is refused in one sentence, and nothing is written", () => {
  test.each(hostile)("%s", async (name, contents, expected, found) => {
    const out = join(folder, `out of ${name}`);
    mkdirSync(out);
    const file = put(folder, `${name}.safetensors`, contents);
    await expectRefusal(
      ["run", "--weights", file, "--updates", updates, "--json", join(out, "r.json")],
      file,
      expected,
      found,
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test("a shard that is missing", async () => {
    const sharded = join(folder, "sharded");
    mkdirSync(sharded);
    put(sharded, "model.safetensors.index.json", '{"weight_map":{"w":"model-1.safetensors"}}');
    const shard = join(sharded, "model-1.safetensors");
    await expectRefusal(
      ["run", "--weights", sharded, "--updates", updates],
      shard,
      "a file",
      "nothing there",
    );
  });

  test("a shard outside the folder", async () => {
    const outside = join(folder, "outside");
    mkdirSync(outside);
    const index = put(
      outside,
      "model.safetensors.index.json",
      '{"weight_map":{"w":"../updates.safetensors"}}',
    );
    await expectRefusal(
      ["run", "--weights", outside, "--updates", updates],
      index,
      'the file name of a shard for tensor "w"',
      '"../updates.safetensors"',
    );
  });
});
