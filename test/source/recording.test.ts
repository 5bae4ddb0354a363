import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { SkippedTensor } from "../../src/lens/input.js";
import { openCheckpoint } from "../../src/source/checkpoint.js";
import { openRecording, type Recording, recordedRun } from "../../src/source/recording.js";
import { encodeSafetensors, type TensorToWrite } from "../../src/source/safetensors/write.js";
import { recorded } from "../support/recorded.js";
import { expectSentence, put, temporaryFolder } from "./support.js";

const root = temporaryFolder();
let folders = 0;

function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}

const widths: Record<string, number> = { F64: 8, F32: 4, BF16: 2, F8_E5M2: 1, I32: 4 };

/** A tensor whose bytes are all `fill`. */
function tensor(name: string, dtype = "F32", shape = [2], fill = 0): TensorToWrite {
  const elements = shape.reduce((product, size) => product * size, 1);
  return { name, dtype, shape, data: new Uint8Array(elements * widths[dtype]).fill(fill) };
}

/** The paths of a run with these tensors. */
function write(weights: TensorToWrite[], updates: TensorToWrite[]) {
  const path = folder();
  return {
    weights: put(path, "base.safetensors", encodeSafetensors(weights, { of: "base" })),
    updates: put(path, "updates.safetensors", encodeSafetensors(updates, { lr: "1e-5" })),
  };
}

async function open(weights: TensorToWrite[], updates: TensorToWrite[]): Promise<Recording> {
  const recording = await openRecording(write(weights, updates));
  await recording.close();
  return recording;
}

const names = (recording: Recording) => recording.tensors.map(({ name }) => name);

describe("openRecording", () => {
  test("brings weights and updates together by name, steps by number", async () => {
    const steps = ["step010", "step9", "step0002"];
    const weights = [tensor("z/w.1", "BF16", [2, 1]), tensor("a", "F64")];
    const updates = steps.flatMap((step, i) => [
      tensor(`${step}/a`, "F32", [2], i),
      tensor(`${step}/z/w.1`, "BF16", [2, 1], i),
    ]);
    const paths = write(weights, updates);
    const recording = await openRecording(paths);
    expect(names(recording)).toEqual(["z/w.1", "a"]);
    expect(recording.stepNumbers).toEqual([2, 9, 10]);
    expect(recording.tensors.map(({ shape }) => shape)).toEqual([[2, 1], [2]]);
    expect(recording.elements).toBe(4);
    expect(recording.skipped).toEqual([]);
    expect(Object.fromEntries(recording.metadata.weights)).toEqual({ of: "base" });
    expect(Object.fromEntries(recording.metadata.updates)).toEqual({ lr: "1e-5" });
    const words = await Promise.all(
      recording.tensors[1].updates.map(async (values) => {
        const into = new Float32Array(2);
        await values.read(0, into);
        return new Uint32Array(into.buffer)[1];
      }),
    );
    expect(words).toEqual([0x02020202, 0x01010101, 0]);
    await recording.close();
    await expect(recording.tensors[1].updates[0].read(0, new Float32Array(1))).rejects.toThrow("was closed");
  });

  test("takes tensors without elements, scalars and awkward names", async () => {
    const shapes: [string, number[]][] = [
      ["__proto__", []],
      ["line\nbreak/", [1]],
      ["none", [0, 3]],
    ];
    const recording = await open(
      shapes.map(([name, shape]) => tensor(name, "BF16", shape)),
      shapes.map(([name, shape]) => tensor(`step1/${name}`, "F32", shape)),
    );
    expect(names(recording)).toEqual(["__proto__", "line\nbreak/", "none"]);
    expect(recording.elements).toBe(2);
  });

  test("takes steps up to 2^53 - 1", async () => {
    const recording = await open(
      [tensor("w")],
      [tensor("step9007199254740991/w"), tensor(`step${"0".repeat(30)}7/w`)],
    );
    expect(recording.stepNumbers).toEqual([7, 2 ** 53 - 1]);
  });
});

const named = (skipped: readonly SkippedTensor[]) => skipped.map(({ name, reason }) => ({ name, reason }));

/** What is left out beside the good tensor "w", and the reason. */
const leftOut: readonly [string, TensorToWrite[], TensorToWrite[], string, string][] = [
  ["a weight without updates", [tensor("x")], [], "x", "has no updates"],
  [
    "updates without a weight, once for all steps",
    [],
    [tensor("step0/x"), tensor("step1/x")],
    "x",
    "has updates, but is not among the weights",
  ],
  ...["steps0/w", "step/w", "step1", "step1/", "Step1/w", "step-1/w", "step1.5/w", "step 1/w", "w", ""].map(
    (name): [string, TensorToWrite[], TensorToWrite[], string, string] => [
      `the name "${name}"`,
      [],
      [tensor(name)],
      name,
      "is not named step<digits>/<weight name>",
    ],
  ),
  [
    "a step of over 2^53 - 1",
    [],
    [tensor("step9007199254740992/w")],
    "step9007199254740992/w",
    "is not named step<digits>/<weight name>",
  ],
  [
    "a weight that lacks a step: unknown is not zero",
    [tensor("x")],
    [tensor("step0/x")],
    "x",
    "has updates for 1 of 2 steps, none for step 1",
  ],
  [
    "another shape",
    [tensor("x", "BF16", [2, 3])],
    [tensor("step0/x", "F32", [2, 3]), tensor("step1/x", "F32", [3, 2])],
    "x",
    "its shape is [2, 3], that of its update of step 1 [3, 2]",
  ],
  [
    "a shape of as many elements",
    [tensor("x", "BF16", [1])],
    [tensor("step0/x", "F32", []), tensor("step1/x", "F32", [])],
    "x",
    "its shape is [1], that of its update of step 0 []",
  ],
  [
    "a weight of integers",
    [tensor("x", "I32")],
    [tensor("step0/x"), tensor("step1/x")],
    "x",
    "its dtype is I32, which holds no floats",
  ],
  [
    "an update of integers",
    [tensor("x")],
    [tensor("step0/x"), tensor("step1/x", "I32")],
    "x",
    "its update of step 1 is I32, which holds no floats",
  ],
  [
    "an update of F64",
    [tensor("x", "F64")],
    [tensor("step0/x", "F64"), tensor("step1/x")],
    "x",
    "its update of step 0 is F64, but an update is an fp32 number: rounded, it might become zero",
  ],
];

describe("leaves out", () => {
  test.each(leftOut)("%s", async (_, weights, updates, name, reason) => {
    const good = [tensor("step0/w"), tensor("step1/w")];
    const paths = write([...weights, tensor("w")], [...updates, ...good]);
    const recording = await openRecording(paths);
    expect(named(recording.skipped)).toEqual([{ name, reason }]);
    expect(names(recording)).toEqual(["w"]);
    expect(recording.stepNumbers).toEqual([0, 1]);
    expect(recording.elements).toBe(2);
    await recording.close();

    const isWeight = weights.length > 0;
    // What is among the weights is a part of them that is missing.
    const { elements } = recording.skipped[0];
    expect(elements).toBe(
      isWeight ? weights[0].shape.reduce((product, size) => product * size, 1) : undefined,
    );
    await expectSentence(
      openRecording({ ...paths, strict: true }),
      isWeight ? paths.weights : paths.updates,
      "nothing to skip (strict)",
      `tensor ${JSON.stringify(name)}: ${reason}`,
    );
  });

  test("every weight that lacks a step which only another one has", async () => {
    const recording = await open(
      [tensor("x"), tensor("w")],
      [tensor("step0/x"), tensor("step0/w"), tensor("step5/w")],
    );
    expect(names(recording)).toEqual(["w"]);
    expect(named(recording.skipped)).toEqual([
      { name: "x", reason: "has updates for 1 of 2 steps, none for step 5" },
    ]);
  });

  test("tensors that an index does not name", async () => {
    const path = folder();
    put(path, "s.safetensors", encodeSafetensors([tensor("w"), tensor("extra")]));
    put(path, "m.safetensors.index.json", '{"weight_map":{"w":"s.safetensors"}}');
    const updates = put(path, "u.safetensors", encodeSafetensors([tensor("step0/w")]));
    const weights = join(path, "m.safetensors.index.json");
    const recording = await openRecording({ weights, updates });
    expect(recording.skipped.map(({ name }) => name)).toEqual(["extra"]);
    await recording.close();
  });
});

describe("one sentence for", () => {
  test("two names for the same update", async () => {
    const paths = write([tensor("x")], [tensor("step1/x"), tensor("step01/x")]);
    await expectSentence(
      openRecording(paths),
      paths.updates,
      'one update of "x" for step 1',
      '"step1/x" and "step01/x"',
    );
  });

  test("no tensor left", async () => {
    const paths = write([tensor("x\n")], [tensor("step1/y")]);
    await expectSentence(
      openRecording(paths),
      paths.updates,
      "updates that fit at least one weight",
      'none; the first left out is "x\\n": has no updates',
    );
  });

  test("no tensor at all", async () => {
    const paths = write([], []);
    await expectSentence(openRecording(paths), paths.updates, "updates that fit at least one weight", "none");
  });

  test("updates that are missing", async () => {
    const paths = { ...write([tensor("x")], []), updates: join(root, "none") };
    const expected = "a file of safetensors or torch.save, its index, or a folder with one of them";
    await expectSentence(openRecording(paths), paths.updates, expected, "nothing there");
  });

  test("a run folder that is missing, or a file", async () => {
    const none = join(root, "none");
    await expectSentence(recordedRun(none), none, "the folder of a recorded run", "nothing there");
    const file = put(folder(), "run", "");
    await expectSentence(recordedRun(file), file, "the folder of a recorded run", "a file");
  });

  test("a run folder without its parts, or with two of one", async () => {
    const path = folder();
    const parts = (part: string) => `${part}.safetensors, ${part}.safetensors.index.json or a folder ${part}`;
    await expectSentence(recordedRun(path), path, parts("base"), "none of them");
    put(path, "base.safetensors", "");
    await expectSentence(recordedRun(path), path, parts("updates"), "none of them");
    put(path, "updates.safetensors", "");
    mkdirSync(join(path, "updates"));
    await expectSentence(recordedRun(path), path, parts("updates"), "updates.safetensors and updates");
    await expectSentence(recordedRun(path, "gradients"), path, parts("gradients"), "none of them");
  });
});

test.each(["updates.safetensors", "updates.safetensors.index.json", "updates"])(
  "recordedRun finds %s",
  async (name) => {
    const path = folder();
    put(path, "base.safetensors", "");
    if (name === "updates") mkdirSync(join(path, name));
    else put(path, name, "");
    expect(await recordedRun(path)).toEqual({
      weights: join(path, "base.safetensors"),
      updates: join(path, name),
    });
  },
);

describe("the recorded runs", () => {
  const recorded = fileURLToPath(new URL("../data/recorded/", import.meta.url));

  /** The bits of everything that a recording holds, in order, and how many updates are zero. */
  async function everything(recording: Recording): Promise<{ bits: Uint32Array[]; zeros: number }> {
    const bits: Uint32Array[] = [];
    let zeros = 0;
    for (const { weights, updates } of recording.tensors) {
      for (const values of [weights, ...updates]) {
        const into = new Float32Array(values.length);
        await values.read(0, into);
        bits.push(new Uint32Array(into.buffer));
        if (values !== weights) zeros += into.filter((u) => u === 0).length;
      }
    }
    return { bits, zeros };
  }

  test.each([
    ["rlvr/early", 0],
    ["rlvr/late", 292],
    ["sft/early", 0],
    ["sft/late", 292],
    ["opd/early", 0],
    ["opd/late", 292],
  ])("%s", async (run, firstStep) => {
    const recording = await openRecording({ ...(await recordedRun(join(recorded, run))), strict: true });
    expect(recording.tensors).toHaveLength(25);
    expect(recording.stepNumbers).toEqual(Array.from({ length: 8 }, (_, i) => firstStep + i));
    expect(recording.elements).toBe(26048);
    expect(recording.metadata.updates.get("optimizer")).toBe("AdamW");
    const expected = JSON.parse(readFileSync(join(recorded, run, "expected.json"), "utf8"));
    expect((await everything(recording)).zeros).toBe(expected[0].none);
    await recording.close();
  });

  test("a run in shards is the same run", async () => {
    const { weights, updates } = await recordedRun(join(recorded, "rlvr/early"));
    const path = folder();
    mkdirSync(join(path, "updates"));
    put(path, "base.safetensors", readFileSync(weights));
    const single = await openCheckpoint(updates);
    const map: Record<string, string> = {};
    const shards: TensorToWrite[][] = [[], [], []];
    for (const { name, shape, values } of single.tensors.values()) {
      const data = new Float32Array(values!.length);
      await values!.read(0, data);
      const shard = Object.keys(map).length % 3;
      map[name] = `u-${shard}.safetensors`;
      shards[shard].push({ name, dtype: "F32", shape, data });
    }
    await single.close();
    shards.forEach((tensors, i) => {
      put(path, `updates/u-${i}.safetensors`, encodeSafetensors(tensors));
    });
    put(path, "updates/u.safetensors.index.json", JSON.stringify({ weight_map: map }));

    const whole = await openRecording({ weights, updates });
    const inShards = await openRecording(await recordedRun(path));
    expect(names(inShards)).toEqual(names(whole));
    expect(inShards.stepNumbers).toEqual(whole.stepNumbers);
    expect(await everything(inShards)).toEqual(await everything(whole));
    await Promise.all([whole.close(), inShards.close()]);
  });

  test("gradients stand in for updates", async () => {
    const recording = await openRecording(await recordedRun(join(recorded, "sft/early"), "gradients"));
    expect(recording.tensors).toHaveLength(25);
    await recording.close();
  });
});

test("of gradients, reasons speak of gradients", async () => {
  const paths = await recordedRun(recorded("rlvr/early"), "gradients");
  const gradients = await openRecording({ ...paths, of: "gradient" });
  expect(gradients.stepNumbers).toHaveLength(8);
  await gradients.close();
  const mismatch = { weights: paths.updates, updates: paths.updates, of: "gradient" as const };
  await expect(openRecording(mismatch)).rejects.toThrow(
    "expected gradients that fit at least one weight, found none",
  );
});
