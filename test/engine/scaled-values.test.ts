import { afterAll, describe, expect, it } from "vitest";
import type { LensJob } from "../../src/engine/engine.js";
import { reference } from "../../src/engine/reference/reference.js";
import { runThreaded } from "../../src/engine/wasm/threaded.js";
import { wasm } from "../../src/engine/wasm/wasm.js";
import { decode, encode } from "../../src/format/encode.js";
import { format } from "../../src/format/registry.js";
import { scaledValues, type TensorInput, type Values } from "../../src/lens/input.js";
import { openRecording, recordedRun } from "../../src/source/recording.js";
import { type UpdateSettings, updateSettings } from "../../src/update/settings.js";
import { outcomeOf } from "../support/outcome.js";
import { recorded } from "../support/recorded.js";
import { gaussianRun, valuesOf } from "../support/values.js";

const cases = [
  updateSettings({ format: "bf16", scheme: "master" }),
  updateSettings({ format: "fp16", rounding: "stochastic", seed: 3 }),
];

afterAll(() => wasm.close!());

/** On two threads, whatever the size of the job. */
const threaded = {
  run: (job: LensJob, observer?: Parameters<typeof wasm.run>[1]) =>
    runThreaded({ ...job, cases: job.cases as UpdateSettings[], chunk: 4096 }, 2, observer),
};

/** Numbers rounded to a format, in shared memory as its codes. */
function shared(numbers: Float32Array, name: string): Values {
  const resolved = format(name);
  const bytes = resolved.bits / 8;
  const buffer = new SharedArrayBuffer(bytes * numbers.length);
  if (bytes === 4) new Float32Array(buffer).set(numbers);
  const codes = bytes === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
  if (bytes < 4) for (const [i, x] of numbers.entries()) codes[i] = encode(x, resolved);
  const held = bytes === 4 ? numbers : Float32Array.from(codes, (code) => decode(code, resolved));
  return {
    ...valuesOf(held),
    origin: { kind: "stored", of: { in: buffer, byteOffset: 0, format: resolved } },
  };
}

/** Updates as fp32, bf16 and 8-bit codes, among them zeros of both signs and what is not finite. */
function job(scaled: (updates: Values) => Values): LensJob {
  const { weights, updates } = gaussianRun(11, 4096 * 2 + 37, 3, 1e-3);
  updates[0].set([0, -0, Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1e-45, -1e-40]);
  const rows = ["fp32", "bf16", "e5m2"].map((name, step) => scaled(shared(updates[step], name)));
  const tensor: TensorInput = {
    name: "w",
    shape: [weights.length],
    weights: shared(weights, "fp32"),
    updates: rows,
  };
  return { tensors: [tensor], stepNumbers: [1, 2, 3], cases };
}

/** The same numbers, scaled before anybody sees them. */
async function beforehand(values: Values, by: number): Promise<Values> {
  const numbers = new Float32Array(values.length);
  await values.read(0, numbers);
  return valuesOf(numbers.map((x) => x * Math.fround(by)));
}

describe("values that are scaled where they are read", () => {
  it.each([0.1, 1, 3.16, 2 ** -130, 1e38, 0.30000001])(
    "by %f: threads count as the reference does",
    async (by) => {
      const scaled = job((values) => scaledValues(values, by));
      const expected = await outcomeOf(reference, scaled);
      expect(await outcomeOf(threaded, scaled)).toEqual(expected);
      const plain = job((values) => values);
      const [{ updates, ...tensor }] = plain.tensors;
      const copied = {
        ...tensor,
        updates: await Promise.all(updates.map((update) => beforehand(update, by))),
      };
      expect(await outcomeOf(reference, { ...plain, tensors: [copied] })).toEqual(expected);
    },
  );

  it("by 1: as they are", async () => {
    const plain = job((values) => values);
    const once = job((values) => scaledValues(values, 1));
    expect(await outcomeOf(threaded, once)).toEqual(await outcomeOf(threaded, plain));
    expect(await outcomeOf(reference, once)).toEqual(await outcomeOf(reference, plain));
  });

  it("twice: each product is rounded", async () => {
    const values = shared(Float32Array.of(1 + 2 ** -23, 3, 1e-38), "fp32");
    const twice = scaledValues(scaledValues(values, 0.1), 10);
    // A thread that multiplied once would give other numbers, so it is not asked to.
    expect(twice.origin).toBeUndefined();
    const read = new Float32Array(2);
    await twice.read(1, read);
    const { fround } = Math;
    expect([...read]).toEqual([3, fround(1e-38)].map((x) => fround(fround(x * fround(0.1)) * 10)));
  });

  it("of a recorded run in a file", async () => {
    const { close, stepNumbers, ...recording } = await openRecording(
      await recordedRun(recorded("rlvr/early")),
    );
    const tensors = recording.tensors.map((tensor) => ({
      ...tensor,
      updates: tensor.updates.map((values) => scaledValues(values, 3.16)),
    }));
    expect(await outcomeOf(threaded, { tensors, stepNumbers, cases })).toEqual(
      await outcomeOf(reference, { tensors, stepNumbers, cases }),
    );
    await close();
  });
});
