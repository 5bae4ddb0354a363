import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyDelta } from "../../../src/source/delta/apply-delta.js";
import { pieceBytes } from "../../../src/source/delta/delta-file.js";
import { writeDelta } from "../../../src/source/delta/write-delta.js";
import { InputError } from "../../../src/source/input-error.js";
import { dtypes } from "../../../src/source/safetensors/dtype.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { sized } from "../../support/tier.js";
import { expectSentence, put, seeded, temporaryFolder } from "../support.js";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const below = seeded(23);
const random = (count: number) => Uint8Array.from({ length: count }, () => below(256));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A tensor of any dtype, of bytes. */
function tensor(name: string, dtype: string, shape: readonly number[], data: Uint8Array): TensorToWrite {
  return { name, dtype, shape, data };
}

/** Some bytes changed, one in so many. */
function altered(data: Uint8Array, one: number): Uint8Array {
  return data.map((byte) => (below(one) === 0 ? byte ^ (1 + below(255)) : byte));
}

/** Writes, applies, and gives what was made. */
async function through(name: string, before: string, after: string) {
  const delta = at(`${name}.delta`);
  const written = await writeDelta(before, after, delta);
  const made = at(`${name}.made`);
  rmSync(made, { force: true, recursive: true });
  const applied = await applyDelta(before, delta, made);
  expect(applied).toEqual(written);
  return { written, made, delta };
}

/** Every dtype, with as many elements as make whole bytes. */
const all = [...dtypes.values()].map(({ name, bits }) => ({
  name: `of ${name}`,
  dtype: name,
  shape: [16, 12],
  bytes: (192 * bits) / 8,
}));
const before = put(
  folder,
  "before.safetensors",
  encodeSafetensors([
    ...all.map(({ name, dtype, shape, bytes }) => tensor(name, dtype, shape, random(bytes))),
    tensor("gone", "BF16", [4], random(8)),
    tensor("another shape", "F32", [2, 3], random(24)),
    tensor("another dtype", "F16", [4], random(8)),
    tensor("scalar", "I64", [], Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)),
    tensor("empty", "F32", [0, 3], new Uint8Array(0)),
  ]),
);

interface Parsed {
  readonly metadata: Record<string, string>;
  readonly tensors: Record<string, { dtype: string; shape: number[]; data: Uint8Array }>;
  readonly header: Uint8Array;
}

/** A trusted safetensors file, read apart from the reader under test. */
function parse(file: Uint8Array): Parsed {
  const start = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(
    new TextDecoder().decode(file.subarray(8, start)),
  );
  const tensors = Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(
    entries,
  ).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => [name, { dtype, shape, data: file.subarray(start + begin, start + end) }] as const,
  );
  return { metadata, tensors: Object.fromEntries(tensors), header: file.subarray(0, start) };
}

/** What docs/deltas.md says, as a plain program for one file. */
function applyByHand(delta: Uint8Array, base: Uint8Array): Uint8Array {
  const [{ tensors: changes }, { tensors: old }] = [parse(delta), parse(base)];
  const made = [changes["0/header"].data];
  const entries = JSON.parse(new TextDecoder().decode(made[0].subarray(8)));
  const names = Object.keys(entries).filter((name) => name !== "__metadata__");
  names.sort((a, b) => entries[a].data_offsets[0] - entries[b].data_offsets[0]);
  for (const name of names) {
    const whole = changes[`0/${name}.whole`];
    const bytes = whole ? whole.data : Uint8Array.from(old[name].data);
    made.push(bytes);
    const gaps = changes[`0/${name}.gaps`]?.data ?? [];
    const values = changes[`0/${name}.values`]?.data;
    let [index, gap, digit, used] = [-1, 0, 1, 0];
    const bits = dtypes.get(entries[name].dtype)!.bits;
    const width = bits % 8 === 0 ? bits / 8 : 1;
    for (const byte of gaps) {
      gap += (byte % 128) * digit;
      digit *= 128;
      if (byte >= 128) continue;
      index += gap + 1;
      [gap, digit] = [0, 1];
      bytes.set(values!.subarray(used, used + width), index * width);
      used += width;
    }
  }
  return new Uint8Array(Buffer.concat(made));
}

describe("a delta makes AFTER byte for byte", () => {
  const old = parse(readFileSync(before)).tensors;
  test.each([
    ["few changes", 40],
    ["many", 3],
    ["all", 1],
  ])("of every dtype: %s", async (name, one) => {
    const after = encodeSafetensors(
      [
        tensor("new", "F64", [1], random(8)),
        ...all.map((original) =>
          tensor(original.name, original.dtype, original.shape, altered(old[original.name].data, one)),
        ),
        tensor("another shape", "F32", [3, 2], old["another shape"].data),
        tensor("another dtype", "BF16", [4], old["another dtype"].data),
        tensor("scalar", "I64", [], Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0)),
        tensor("empty", "F32", [0, 3], new Uint8Array(0)),
      ],
      { format: "pt", step: "100" },
    );
    const { written, made, delta } = await through(name, before, put(folder, "after.safetensors", after));
    const bytes = new Uint8Array(readFileSync(made));
    expect(sha256(bytes)).toBe(sha256(after));
    expect(written.files).toEqual([
      { name: "after.safetensors", bytes: after.length, sha256: sha256(after) },
    ]);
    expect(written.bytes).toBe(readFileSync(delta).length);
    expect(written.resultBytes).toBe(after.length);
    expect(written.same + written.changed + written.whole).toBe(all.length + 5);
    expect(sha256(applyByHand(readFileSync(delta), readFileSync(before)))).toBe(sha256(after));
  });

  test("counts elements, by bytes: a sign of zero, another NaN, the high byte alone", async () => {
    const codes = (...numbers: number[]) => Uint8Array.from(new Uint8Array(Uint16Array.from(numbers).buffer));
    const [a, b] = [codes(0x8000, 0x7fc0, 0x3f80, 5, 5), codes(0x0000, 0x7fc1, 0x4080, 5, 5)].map((data, i) =>
      put(folder, `codes-${i}.safetensors`, encodeSafetensors([tensor("w", "BF16", [5], data)])),
    );
    const { written, delta } = await through("codes", a, b);
    expect(written).toMatchObject({ changes: 3, changed: 1, same: 0, whole: 0 });
    const { tensors } = parse(readFileSync(delta));
    expect(tensors["0/w.gaps"]).toMatchObject({ dtype: "U8", shape: [3] });
    expect([...tensors["0/w.gaps"].data]).toEqual([0, 0, 0]);
    expect(tensors["0/w.values"]).toMatchObject({ dtype: "BF16", shape: [3] });
  });

  test("of nothing that changed it has nothing but the header, and of one file as of another", async () => {
    const { written, made } = await through("nothing", before, before);
    expect(written).toMatchObject({ changed: 0, whole: 0, changes: 0 });
    expect(readFileSync(made)).toEqual(readFileSync(before));
    expect(written.bytes).toBeLessThan(written.resultBytes);
  });

  test("with changes on both sides of a piece, and far from each other", async () => {
    const data = new Uint8Array(2 * pieceBytes + 6);
    const later = Uint8Array.from(data);
    const places = [0, 2, pieceBytes - 2, pieceBytes, pieceBytes + 300, 2 * pieceBytes + 4];
    for (const place of places) later[place + 1] = 7;
    const [a, b] = [data, later].map((content, i) =>
      put(
        folder,
        `long-${i}.safetensors`,
        encodeSafetensors([tensor("w", "F16", [content.length / 2], content)]),
      ),
    );
    const { written, made, delta } = await through("long", a, b);
    expect(written.changes).toBe(places.length);
    expect(sha256(readFileSync(made))).toBe(sha256(readFileSync(b)));
    // 0, 0, a gap of 2^21 - 3 in four bytes, 0, 149 in two, 2^21 - 149 in four.
    const { data: gaps } = parse(readFileSync(delta)).tensors["0/w.gaps"];
    expect(gaps.length).toBe(1 + 1 + 3 + 1 + 2 + 3);
  });

  test("of a folder of shards: files, index and all", async () => {
    const shards = (name: string, change: number) => {
      const path = at(name);
      mkdirSync(path);
      const parts = [0, 1].map((i) => `model-0000${i + 1}-of-00002.safetensors`);
      const weights = { a: parts[0], b: parts[1], c: parts[1] };
      for (const [i, part] of parts.entries()) {
        const tensors = (i === 0 ? ["a"] : ["b", "c"]).map((tensorName, n) =>
          tensor(
            tensorName,
            "BF16",
            [64],
            Uint8Array.from({ length: 128 }, (_, j) => (j === 5 ? change * (n + i) : j)),
          ),
        );
        put(path, part, encodeSafetensors(tensors, { format: "pt" }));
      }
      put(
        path,
        "model.safetensors.index.json",
        JSON.stringify({ metadata: { change }, weight_map: weights }),
      );
      put(path, "config.json", "{}");
      return path;
    };
    const [a, b] = [shards("sharded-0", 0), shards("sharded-1", 3)];
    const { made, written } = await through("sharded", a, b);
    const names = readdirSync(made).sort();
    expect(names).toEqual(
      readdirSync(b)
        .filter((name) => name !== "config.json")
        .sort(),
    );
    for (const name of names) expect(readFileSync(join(made, name))).toEqual(readFileSync(join(b, name)));
    expect(written).toMatchObject({ same: 1, changed: 2, whole: 0, changes: 2 });
    // The base may be stored another way: by tensors it is the same.
    const joined = put(
      folder,
      "joined.safetensors",
      encodeSafetensors(
        readdirSync(a)
          .filter((name) => name.endsWith(".safetensors"))
          .flatMap((name) => Object.entries(parse(readFileSync(join(a, name))).tensors))
          .map(([name, { dtype, shape, data }]) => tensor(name, dtype, shape, data)),
      ),
    );
    rmSync(made, { recursive: true });
    await applyDelta(joined, at("sharded.delta"), made);
    for (const name of names) expect(readFileSync(join(made, name))).toEqual(readFileSync(join(b, name)));
  });
});

describe("what is no delta of this base is refused, and leaves nothing behind", () => {
  const data = random(4000);
  const later = altered(data, 20);
  const [a, b] = [data, later].map((content, i) =>
    put(
      folder,
      `small-${i}.safetensors`,
      encodeSafetensors([
        tensor("w", "BF16", [2000], content),
        tensor("same", "I8", [4], Uint8Array.of(1, 2, 3, 4)),
      ]),
    ),
  );
  const home = at("small");
  mkdirSync(home);
  const delta = join(home, "delta");
  const out = join(home, "out");

  /** Applies a delta of these bytes: the error, or null where it made AFTER. */
  async function apply(bytes: Uint8Array, base = a): Promise<InputError | null> {
    writeFileSync(delta, bytes);
    const error = await applyDelta(base, delta, out).then(
      () => null,
      (thrown) => thrown,
    );
    if (error === null) {
      expect(readFileSync(out)).toEqual(readFileSync(b));
      rmSync(out);
    } else {
      expect(error, String(error)).toBeInstanceOf(InputError);
      expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
    expect(readdirSync(home)).toEqual(["delta"]);
    return error;
  }

  test("another base, by its bytes or by its tensors", async () => {
    await writeDelta(a, b, delta);
    const bytes = readFileSync(delta);
    expect((await apply(bytes, b))!.message).toMatch(
      /^.*small-1.*: expected the base of the delta \(SHA-256/,
    );
    const other = put(folder, "other.safetensors", encodeSafetensors([tensor("w", "F16", [2000], data)]));
    expect((await apply(bytes, other))!.message).toBe(
      `${other}: expected tensor "w" of BF16 [2000], as in the base of the delta, found F16 [2000]`,
    );
    // A tensor that the delta does not take may be any.
    expect(await apply(bytes)).toBeNull();
  });

  test("one that is cut off, anywhere", async () => {
    await writeDelta(a, b, delta);
    const bytes = readFileSync(delta);
    for (let length = 0; length < bytes.length; length += 1 + below(sized({ quick: 30, full: 3 }))) {
      expect(await apply(bytes.subarray(0, length))).not.toBeNull();
    }
  });

  test("one in which a byte is another: refused, or what it makes is AFTER all the same", async () => {
    await writeDelta(a, b, delta);
    const bytes = readFileSync(delta);
    let refused = 0;
    const tries = sized({ quick: 150, full: 2000 });
    for (let n = 0; n < tries; n++) {
      const damaged = Uint8Array.from(bytes);
      damaged[below(bytes.length)] ^= 1 << below(8);
      if ((await apply(damaged)) !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(0.9 * tries);
  });

  /** The delta with other tensors or metadata. */
  async function crafted(
    tensors: Record<string, TensorToWrite | null>,
    metadata: Record<string, string> = {},
  ): Promise<Uint8Array> {
    await writeDelta(a, b, delta);
    const parsed = parse(readFileSync(delta));
    const kept = Object.entries(parsed.tensors)
      .filter(([name]) => !(name in tensors))
      .map(([name, { dtype, shape, data }]) => tensor(name, dtype, shape, data));
    const put = Object.values(tensors).filter((each) => each !== null);
    return encodeSafetensors([...kept, ...put], { ...parsed.metadata, ...metadata });
  }
  const bytesOf = (name: string, ...bytes: number[]) =>
    tensor(name, "U8", [bytes.length], Uint8Array.from(bytes));
  const one = tensor("0/w.values", "BF16", [1], Uint8Array.of(1, 2));
  const file = (name: string) => JSON.stringify([{ name, bytes: 4210, sha256: "0".repeat(64) }]);

  test.each([
    [
      "a gap that leads outside",
      { "0/w.gaps": bytesOf("0/w.gaps", 208, 15), "0/w.values": one },
      {},
      "one outside",
    ],
    [
      "a gap without an end",
      { "0/w.gaps": bytesOf("0/w.gaps", 255), "0/w.values": one },
      {},
      "a truncated gap",
    ],
    [
      "a gap beyond all numbers",
      { "0/w.gaps": bytesOf("0/w.gaps", ...new Array(12).fill(255), 1), "0/w.values": one },
      {},
      "a gap of more than 2^53",
    ],
    [
      "fewer values than gaps",
      { "0/w.gaps": bytesOf("0/w.gaps", 1, 1), "0/w.values": one },
      {},
      "fewer values",
    ],
    ["more values than gaps", { "0/w.gaps": bytesOf("0/w.gaps"), "0/w.values": one }, {}, "some left over"],
    ["values of another dtype", { "0/w.values": { ...one, dtype: "F16" } }, {}, "F16"],
    ["gaps without values", { "0/w.values": null }, {}, "none"],
    ["no header", { "0/header": null }, {}, "none"],
    ["a header that is none", { "0/header": bytesOf("0/header", 1, 2, 3) }, {}, "3 bytes"],
    ["another format", {}, { format: "precision-lens-delta/9" }, 'one of format "precision-lens-delta/9"'],
    ["no base", {}, { kind: "files" }, "none"],
    ["no files", {}, { files: "[]" }, "others"],
    ["files that are none", {}, { files: "{" }, "others"],
    ["a path out of its folder", {}, { kind: "folder", files: file("../out") }, "others"],
    ["a name of a parent", {}, { kind: "folder", files: file("..") }, "others"],
    ["another result", {}, { files: file("small-1.safetensors") }, ""],
  ] as [string, Record<string, TensorToWrite | null>, Record<string, string>, string][])(
    "%s",
    async (_, tensors, metadata, found) => {
      const error = await apply(await crafted(tensors, metadata));
      expect(error!.found).toContain(found);
    },
  );

  test("any other safetensors file, and what is none", async () => {
    expect((await apply(readFileSync(a)))!.message).toBe(
      `${delta}: expected a delta of format "precision-lens-delta/1", found none`,
    );
    expect(await apply(random(100))).not.toBeNull();
    rmSync(delta);
    await expectSentence(applyDelta(a, delta, out), delta, "a file", "nothing there");
  });

  test("a result where something is already, and an AFTER that is no safetensors", async () => {
    await writeDelta(a, b, delta);
    const there = put(folder, "there", "mine");
    const expected = "a new path for the delta's result";
    await expectSentence(applyDelta(a, delta, there), there, expected, "something there");
    expect(readFileSync(there, "utf8")).toBe("mine");
    const pickled = new URL("../../data/torch/tuned.pt", import.meta.url).pathname;
    await expectSentence(
      writeDelta(a, pickled, join(home, "never")),
      pickled,
      "a safetensors file, which a delta can make",
      "another kind of file",
    );
    expect(readdirSync(home)).toEqual(["delta"]);
  });

  test("a file of torch.save may be the base: its tensors are what counts", async () => {
    const [pickled, tuned] = ["tuned.pt", "tuned.safetensors"].map(
      (name) => new URL(`../../data/torch/${name}`, import.meta.url).pathname,
    );
    const { written, made } = await through("torch", pickled, tuned);
    expect(written).toMatchObject({ changed: 0, changes: 0 });
    expect(readFileSync(made)).toEqual(readFileSync(tuned));
  });
});
