import { BlockLayout, pieceEnds } from "../format/block/block-layout.js";
import { largestMagnitude } from "../format/block/quantize-block.js";
import type { TensorInput, Values } from "../lens/input.js";
import { blockLength } from "../lens/sum.js";
import type { BlockSettings } from "../update/block-settings.js";
import type { CaseSettings } from "../update/optimizer.js";
import { takesWholeTensors } from "./refused-shapes.js";

/**
 * The chunk ends of a tensor: every `length` elements, a multiple of blockLength, extended so that no block
 * of shared scales is cut. A tensor is one chunk if its scale depends on weights of a single case, or if a
 * recipe processes it whole.
 */
export function chunkEnds(
  { shape, start = 0, weights }: Pick<TensorInput, "shape" | "start" | "weights">,
  cases: readonly CaseSettings[],
  length: number,
): number[] {
  const shared = cases.filter((settings) => settings.blocks !== undefined);
  const layouts = shared.map(({ blocks }) => new BlockLayout(shape, blocks));
  const byScale = shared.some(
    (settings) => hasTensorScale(settings) && settings.scheme !== "master" && settings.scales === "renewed",
  );
  const isWhole = byScale || takesWholeTensors(cases);
  const ends = pieceEnds(weights.length, layouts, isWhole ? weights.length : length, blockLength);
  return start === 0 ? ends : ends.filter((end) => end > start);
}

/**
 * The largest magnitudes in a tensor before the first step and after each, if the tensor scale is needed
 * before its first chunk; this reads all updates once more. The fp32 run is the master of every case.
 */
export async function tensorMagnitudes(
  { weights, updates }: Pick<TensorInput, "weights" | "updates">,
  cases: readonly CaseSettings[],
  ends: readonly number[],
): Promise<Float64Array | null> {
  if (ends.length < 2 || !cases.some((settings) => settings.blocks && hasTensorScale(settings))) return null;
  const magnitudes = new Float64Array(1 + updates.length);
  const take = (i: number, numbers: Float32Array) => {
    magnitudes[i] = largestMagnitude([magnitudes[i], largestMagnitude(numbers)]);
  };
  for (const [k, end] of ends.entries()) {
    const start = ends[k - 1] ?? 0;
    const master = Float32Array.from(await read(weights, new Float64Array(end - start), start));
    take(0, master);
    for (const [i, values] of updates.entries()) {
      const update = await read(values, new Float32Array(end - start), start);
      for (let j = 0; j < master.length; j++) master[j] += update[j];
      take(i + 1, master);
    }
  }
  return magnitudes;
}

async function read<T extends Float32Array | Float64Array>(
  values: Values,
  into: T,
  start: number,
): Promise<T> {
  await values.read(start, into);
  return into;
}

export function hasTensorScale({ blocks }: BlockSettings): boolean {
  return blocks.rule.tensorScale !== null;
}
