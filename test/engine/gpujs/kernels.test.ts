import { afterAll, beforeAll, expect, it } from "vitest";
import { batchesOf } from "../../../src/engine/gpujs/batch.js";
import { blockSums } from "../../../src/engine/gpujs/case-on-device.js";
import { type Device, openDevice } from "../../../src/engine/gpujs/device.js";
import { exponentOf, type Kernel, powers } from "../../../src/engine/gpujs/kernels/kernel.js";
import { laneSumKernel } from "../../../src/engine/gpujs/kernels/sums.js";
import { drawOnDevice, randomOnDevice } from "../../../src/engine/gpujs/random.js";
import { drawnValues, type TensorInput } from "../../../src/lens/input.js";
import { blockLength, laneCount, sumOfProducts } from "../../../src/lens/sum.js";
import { quantileOf } from "../../../src/update/quantiles.js";
import { randomBits, stepKey, tensorKey, threefry2x32 } from "../../../src/update/threefry.js";
import { Mismatches } from "../../support/mismatches.js";
import { describeNeeding, requirements, vulkanDriver } from "../../support/requirements.js";

describeNeeding(requirements.vulkan, "kernels on a device", () => {
  let device: Device;
  beforeAll(async () => {
    process.env.VK_ICD_FILENAMES ??= vulkanDriver;
    device = await openDevice("webgpu");
  });
  afterAll(() => device.destroy());

  it("find the exponent of every power of two and of its neighbours", async () => {
    const kernel: Kernel = {
      name: "exponents",
      functions: [exponentOf],
      source: "function (numbers) { return exponentOf(numbers[this.thread.x]); }",
    };
    const exponents = Array.from({ length: 253 }, (_, i) => i - 126);
    const shapes = [1, 1 + 2 ** -23, 1.5, 2 - 2 ** -23];
    const numbers = Float32Array.from(exponents.flatMap((e) => shapes.map((shape) => shape * 2 ** e)));
    const found = await device.download(
      await device.compute(kernel, [numbers.length], await device.upload(numbers)),
    );
    const wrong = new Mismatches();
    for (const [i, x] of numbers.entries())
      wrong.compare(found[i], exponents[Math.floor(i / 4)], () => `${x}`);
    wrong.expectNone();
    expect([powers[0], powers[126], powers[253]]).toEqual([2 ** -126, 1, 2 ** 127]);
  });

  // Against fp64 itself. Terms of one size, of very different sizes, and such that cancel to all depths.
  it.each([
    ["of one size", (a: number, b: number) => [1 + a / 2 ** 32, (b % 2 === 0 ? 1 : -1) * (1 + b / 2 ** 32)]],
    [
      "of many sizes",
      (a: number, b: number) => [(1 + a / 2 ** 32) * 2 ** ((b % 60) - 40), 2 ** ((a % 40) - 30) * 1.7],
    ],
    [
      "with signs, of many sizes",
      (a: number, b: number) => [(a % 2 ? 1 : -1) * (1 + a / 2 ** 32) * 2 ** (b % 30), 1 + b / 2 ** 32],
    ],
    ["that cancel", (a: number, b: number) => [(a >>> 31 ? 1 : -1) * ((b % 64) + 1), 1 + (a % 3) * 2 ** -23]],
    [
      "that are ties",
      (a: number, b: number) => [(a % 2 ? 1 : -1) * 2 ** (b % 27), 1 + 2 ** -((a >>> 8) % 24)],
    ],
    ["with zeros", (a: number, b: number) => [a % 3 ? 0 : (1 + a / 2 ** 32) * 2 ** -(b % 30), b % 2 ? 0 : 3]],
  ] as const)("add products %s as fp64 does", async (_, term) => {
    const blocks = 16;
    const [a, b] = [new Float32Array(blocks * blockLength), new Float32Array(blocks * blockLength)];
    for (let i = 0; i < a.length; i++) [a[i], b[i]] = term(...threefry2x32([3, 4], [i, 0]));
    const lanes = await device.fetch(
      laneSumKernel,
      [laneCount, blocks],
      await device.upload(a),
      await device.upload(b),
    );
    const sums = blockSums(await lanes.numbers);
    const wrong = new Mismatches();
    for (let block = 0; block < blocks; block++) {
      const expected = sumOfProducts(a, b, block * blockLength, (block + 1) * blockLength);
      wrong.compare(sums[block], expected, () => `block ${block}`);
    }
    wrong.expectNone();
  });

  it("make the random bits and draw the quantiles that Threefry does, past 2^33 elements too", async () => {
    const length = 5000;
    const table = Float32Array.from({ length: 1024 }, (_, i) => (i - 512) / 2 ** 20);
    const drawn = { table, key: stepKey(tensorKey(9, "updates"), 4) };
    const far = 2 ** 33 - 4096;
    const updates = drawnValues(far + length, drawn);
    const input: TensorInput = { name: "far", shape: [far + length], weights: updates, updates: [updates] };
    const piece = { tensor: 0, input, start: far, length, at: 0 };
    const { value: batch } = batchesOf([{ ...input, weights: { ...updates, length } }], 8192).next();
    if (!batch) throw new Error("no batch");
    const farBatch = Object.assign(Object.create(batch), {
      pieces: [piece],
      pieceOf: () => piece,
      startOf: (block: number) => far + block * blockLength,
    });
    const halves = await device.download(await randomOnDevice(device, 12345678901, 77, 3, farBatch));
    const key = stepKey(tensorKey(12345678901, "far"), 77);
    const numbers = await device.download(await drawOnDevice(device, table, 0, farBatch));
    const wrong = new Mismatches();
    for (let i = 0; i < length; i++) {
      for (let draw = 0; draw < 3; draw++) {
        const word = randomBits(key, far + i, draw);
        const found =
          halves[2 * draw * batch.length + i] * 2 ** 16 + halves[(2 * draw + 1) * batch.length + i];
        wrong.compare(found, word, () => `draw ${draw} of ${far + i}`);
      }
      wrong.compare(numbers[i], quantileOf(drawn, far + i), () => `update ${far + i}`);
    }
    wrong.expectNone();
    expect(numbers.subarray(length).every((x) => x === 0)).toBe(true);
  });

  it("draw as many as a batch holds", async () => {
    const table = Float32Array.from({ length: 4 }, (_, i) => i);
    const drawn = { table, key: stepKey(tensorKey(3, "large"), 0) };
    const values = drawnValues(2 ** 20, drawn);
    const [batch] = batchesOf(
      [{ name: "large", shape: [2 ** 20], weights: values, updates: [values] }],
      2 ** 20,
    );
    const numbers = await device.download(await drawOnDevice(device, table, 0, batch));
    const wrong = new Mismatches();
    for (let i = 0; i < 2 ** 20; i += 37)
      wrong.compare(numbers[i], quantileOf(drawn, i), () => `update ${i}`);
    wrong.expectNone();
  });
});
