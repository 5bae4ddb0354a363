import { describe, expect, it } from "vitest";
import { originOf, type Values } from "../../../src/lens/input.js";
import { encodeSafetensors, type TensorToWrite } from "../../../src/source/safetensors/write.js";
import { openCheckpointWeights } from "../../../src/source/synthetic/checkpoint-weights.js";
import { stratify } from "../../../src/source/synthetic/sample.js";
import { float32Bits } from "../../support/bits.js";
import { float32 } from "../../support/recorded.js";
import { expectSentence, put, temporaryFolder } from "../support.js";

const folder = temporaryFolder();

async function read({ length, read: readInto }: Values, start = 0, count = length): Promise<number[]> {
  const into = new Float32Array(count);
  await readInto(start, into);
  return [...into];
}

const range = (length: number, first = 0) => Array.from({ length }, (_, i) => first + i);

/** bf16 numbers, which whole numbers to 256 are, fp32 ones, and one of its own. */
const matrix: TensorToWrite = {
  name: "matrix",
  dtype: "BF16",
  shape: [50, 20],
  data: Uint16Array.from(range(1000), (i) => float32Bits(i % 256) >>> 16),
};
const path = put(
  folder,
  "weights.safetensors",
  encodeSafetensors([matrix, float32("vector", range(30, 500)), float32("one", [0.1])], { step: "300" }),
);

describe("openCheckpointWeights", () => {
  it.each([null, 1031, 5000])(
    "gives all tensors as they lie in the files, for %s elements",
    async (elements) => {
      const opened = await openCheckpointWeights(path, elements);
      expect(opened.tensors.map(({ name, shape, size }) => [name, shape, size])).toEqual([
        ["matrix", [50, 20], 1000],
        ["vector", [30], 30],
        ["one", [1], 1],
      ]);
      const [first, vector, one] = opened.tensors;
      expect(originOf(first.weights, "stored")).toMatchObject({ in: path, format: { name: "bf16" } });
      expect(await read(first.weights)).toEqual(range(1000).map((i) => i % 256));
      expect(await read(vector.weights, 7, 3)).toEqual([507, 508, 509]);
      expect(await read(one.weights)).toEqual([Math.fround(0.1)]);
      expect(opened).toMatchObject({ skipped: [], files: [path] });
      expect([...opened.metadata]).toEqual([["step", "300"]]);
      await opened.close();
    },
  );

  it("takes a sample of every tensor at even distances, in memory that threads share", async () => {
    const opened = await openCheckpointWeights(path, 103);
    const lengths = stratify([1000, 30, 1], 103);
    expect(opened.tensors.map(({ shape, size }) => [...shape, size])).toEqual([
      [lengths[0], 1000],
      [lengths[1], 30],
      [1, 1],
    ]);
    const [first, vector, one] = opened.tensors;
    // The middles of as many equal parts.
    const middles = (n: number, length: number) =>
      range(n).map((i) => Math.floor((length * (2 * i + 1)) / (2 * n)));
    expect(await read(first.weights)).toEqual(middles(lengths[0], 1000).map((i) => i % 256));
    expect(await read(vector.weights)).toEqual(middles(lengths[1], 30).map((i) => 500 + i));
    expect(await read(one.weights)).toEqual([Math.fround(0.1)]);
    const stored = originOf(first.weights, "stored");
    expect(stored).toMatchObject({ byteOffset: 0, format: { name: "fp32" } });
    expect([...new Float32Array(stored!.in as SharedArrayBuffer)]).toEqual(await read(first.weights));
    expect(await read(first.weights, 90, 4)).toEqual((await read(first.weights)).slice(90, 94));
    await opened.close();
  });

  it("samples tensors that are longer than what is read at once", async () => {
    const n = 3 * 2 ** 18 + 77;
    const long = put(folder, "long.safetensors", encodeSafetensors([float32("w", range(n))]));
    // Numbers far apart, and more of them than one reading holds.
    for (const elements of [3, 1000, n - 5]) {
      const opened = await openCheckpointWeights(long, elements);
      const taken = await read(opened.tensors[0].weights);
      expect(taken).toHaveLength(elements);
      expect(taken.findIndex((x, i) => x !== Math.floor(((i + 0.5) * n) / elements))).toBe(-1);
      await opened.close();
    }
  });

  it("leaves out what can be no weights, with the reason", async () => {
    const bytes = (name: string, dtype: string, shape: number[], length: number): TensorToWrite => ({
      name,
      dtype,
      shape,
      data: new Uint8Array(length),
    });
    const mixed = put(
      folder,
      "mixed.safetensors",
      encodeSafetensors([
        bytes("ids", "I64", [2], 16),
        bytes("double", "F64", [2], 16),
        bytes("nothing", "F32", [0, 7], 0),
        float32("w", [1, 2]),
      ]),
    );
    for (const elements of [null, 1]) {
      const opened = await openCheckpointWeights(mixed, elements);
      expect(opened.tensors.map(({ name }) => name)).toEqual(["w"]);
      expect(opened.skipped).toEqual([
        { name: "ids", reason: "its dtype is I64, which holds no floats" },
        { name: "double", reason: "it is F64: a simulated run starts from fp32 numbers" },
        { name: "nothing", reason: "it has no elements" },
      ]);
      await opened.close();
    }
    const none = put(folder, "none.safetensors", encodeSafetensors([bytes("ids", "I64", [2], 16)]));
    await expectSentence(openCheckpointWeights(none, null), none, "tensors that can be weights", "none");
  });

  it("refuses fewer elements than tensors, and what is no checkpoint", async () => {
    await expectSentence(
      openCheckpointWeights(path, 2),
      path,
      "at most as many tensors as elements, 2",
      "3 tensors",
    );
    const torn = put(folder, "torn.safetensors", new Uint8Array(3));
    await expect(openCheckpointWeights(torn, null)).rejects.toThrow(/torn\.safetensors: expected/);
  });
});
