import { countOfAll } from "../../lens/input.js";
import type { CaseTally } from "../../lens/run/summarize.js";
import { blockLength } from "../../lens/sum.js";
import type { UpdateSettings } from "../../update/settings.js";
import type { LensJob, Observer } from "../engine.js";
import { caseTallies, newTallies } from "../job-tallies.js";
import { expectCountable } from "../walk.js";
import { batchesOf } from "./batch.js";
import type { Device } from "./device.js";
import { GpuLens } from "./gpu-lens.js";
import { drawsOf } from "./kernels/update.js";

/**
 * Runs a job on a device batch by batch, all steps of a batch in order. The updates of the next step are read while
 * the current step runs. Valid for cases with schemes.
 */
export async function runBatches(
  job: LensJob,
  device: Device,
  observer: Observer = {},
): Promise<CaseTally[]> {
  expectCountable(job);
  const { tensors, stepNumbers, milestones = [] } = job;
  const cases = job.cases as readonly UpdateSettings[];
  const tallies = newTallies(job);
  const total = countOfAll(tensors) * stepNumbers.length;
  const lens = new GpuLens(device, cases);
  let done = 0;

  for (const batch of batchesOf(tensors, capacity(job))) {
    const elements = batch.pieces.reduce((sum, { length }) => sum + length, 0);
    await device.guard(async () => {
      await lens.begin(batch);
      let ready = stepNumbers.length > 0 ? lens.read(0) : null;
      for (const [i, number] of stepNumbers.entries()) {
        const updates = await ready!;
        ready = i + 1 < stepNumbers.length ? lens.read(i + 1) : null;
        // If the step fails, nothing awaits this read.
        ready?.catch(() => {});
        await lens.step(updates, number);
        if (milestones.includes(i)) await lens.soFar();
        done += elements;
        observer.progress?.(done, total);
      }
      const stored = await lens.end(tallies);
      for (const [c, weights] of stored.entries()) {
        for (const { tensor, start, length, at } of batch.pieces) {
          observer.weights?.(c, tensor, start, weights.subarray(at, at + length));
        }
      }
    });
  }
  observer.handedOver?.(lens.handedOver);

  return caseTallies(job, tallies);
}

/**
 * The length of a batch: arrays take about 32 bytes per element and case, at most half a gigabyte in all. At most
 * 2^24 because kernels compute indices in fp32, including those into the rows of random halves.
 */
function capacity({ chunk, cases }: LensJob): number {
  const wished =
    chunk ?? 2 ** Math.max(16, Math.min(23, 24 - Math.ceil(Math.log2(Math.max(1, cases.length)))));
  const rows = 2 * Math.max(1, ...(cases as readonly UpdateSettings[]).map(drawsOf));
  const most = Math.floor(2 ** 24 / rows / blockLength);
  return Math.max(1, Math.min(Math.ceil(wished / blockLength), most)) * blockLength;
}
