import { originOf } from "../../lens/input.js";
import { blockLength } from "../../lens/sum.js";
import { quantileDraw } from "../../update/quantiles.js";
import { keySchedule, randomBits, stepKey, tensorKey, type Words } from "../../update/threefry.js";
import type { Batch, Piece } from "./batch.js";
import type { Device, DeviceArray } from "./device.js";
import { counterLength, drawnKernel, randomHalvesKernel } from "./kernels/threefry.js";

/**
 * The random bits of a batch's elements as 16-bit halves, two rows for each draw of a step: high and low halves.
 * Computed on the device if it has integers, else on the host.
 */
export async function randomOnDevice(
  device: Device,
  seed: number,
  step: number,
  draws: number,
  batch: Batch,
): Promise<DeviceArray> {
  const keyOf = ({ input }: Piece) => stepKey(tensorKey(seed, input.name), step);
  if (device.hasIntegers) return halvesOnDevice(device, keyOf, 0, draws, batch);
  const halves = new Float32Array(batch.length * 2 * draws);
  for (const piece of batch.pieces) {
    const key = keyOf(piece);
    for (let draw = 0; draw < draws; draw++) {
      const high = 2 * draw * batch.length + piece.at;
      const low = high + batch.length;
      for (let i = 0; i < piece.length; i++) {
        const word = randomBits(key, piece.start + i, draw);
        halves[high + i] = word >>> 16;
        halves[low + i] = word & 0xffff;
      }
    }
  }
  return device.upload(halves);
}

/** Updates drawn on the device, all from one table. Valid on devices with integers. */
export async function drawOnDevice(
  device: Device,
  table: Float32Array,
  index: number,
  batch: Batch,
): Promise<DeviceArray> {
  const keyOf = ({ input }: Piece) => originOf(input.updates[index], "quantiles")!.key;
  const halves = await halvesOnDevice(device, keyOf, quantileDraw, 1, batch);
  const lengths = Float32Array.from(
    { length: batch.blocks },
    (_, block) => batch.endOf(block) - block * blockLength,
  );
  const quantiles = await device.upload(table);
  const filled = await device.upload(lengths);
  const scale = table.length / 2 ** 16;
  const updates = await device.compute(drawnKernel, [batch.length], quantiles, halves, filled, scale);
  device.release(halves, quantiles, filled);
  return updates;
}

async function halvesOnDevice(
  device: Device,
  keyOf: (piece: Piece) => Words,
  firstDraw: number,
  draws: number,
  batch: Batch,
): Promise<DeviceArray> {
  const keys = new Map(batch.pieces.map((piece) => [piece, keyOf(piece)]));
  const counters = new Float32Array(batch.blocks * counterLength);
  for (let block = 0; block < batch.blocks; block++) {
    counters.set(counter(keys.get(batch.pieceOf(block))!, batch.startOf(block)), block * counterLength);
  }
  const array = await device.upload(counters);
  const output = [blockLength, batch.blocks * 2 * draws] as const;
  const halves = await device.compute(randomHalvesKernel, output, array, firstDraw, batch.blocks);
  device.release(array);
  return halves;
}

/** Key and counter of a block as the kernel's input: halves of words, and the top of the first pair's index. */
function counter(key: Words, start: number): number[] {
  const pair = start / 2;
  const words = [...keySchedule(key), pair % 2 ** 32];
  const halves = words.flatMap((word) => [Math.floor(word / 2 ** 16), word % 2 ** 16]);
  return [...halves, Math.floor(pair / 2 ** 32)];
}
