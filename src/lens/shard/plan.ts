import type { PartRange } from "./part.js";

/** A tensor of the divided work. */
export interface PlanTensor {
  readonly elements: number;
  /** Bytes read per element, on all sides and in all steps. */
  readonly bits: number;
  /** Whether a multiple of `step` is a permitted cut; default all are. */
  readonly isCut?: (element: number) => boolean;
  /** Elements between two places where it may be cut, a multiple of blockLength; null: it is never cut. */
  readonly step: number | null;
}

/** The work of one machine. */
export interface Shard {
  readonly ranges: readonly PartRange[];
  readonly elements: number;
  readonly bytes: number;
}

/** Before an element of a tensor. */
type Place = readonly [tensor: number, element: number];

/**
 * Divides tensors into ranges of about equal bytes, in their order. Every cut follows from the tensors and
 * its own number alone, in integers, so that each machine derives its range independently and consistently.
 * Cuts lie between blocks of sums (blockLength of lens/sum.ts) and of shared scales, where what is counted on
 * both sides adds up to the whole exactly; so a shard may be empty, and differ from its share by half of such
 * a block.
 */
export function planShards(tensors: readonly PlanTensor[], shards: number): Shard[] {
  const before = [0n];
  for (const { elements, bits } of tensors) before.push(before.at(-1)! + BigInt(elements) * BigInt(bits));
  const total = before.at(-1)!;
  const cuts = Array.from({ length: shards + 1 }, (_, i) =>
    cutAt(tensors, before, (total * BigInt(i)) / BigInt(shards)),
  );
  cuts[0] = [0, 0];
  cuts[shards] = [tensors.length, 0];
  return Array.from({ length: shards }, (_, i) => shardOf(tensors, cuts[i], cuts[i + 1]));
}

/** The place nearest to so many bits from the start where a tensor can be cut. */
function cutAt(tensors: readonly PlanTensor[], before: readonly bigint[], bits: bigint): Place {
  // The last tensor that does not begin later, by bisection, since there may be 100,000.
  let [low, high] = [0, tensors.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (before[middle] <= bits) low = middle;
    else high = middle - 1;
  }
  if (low === tensors.length) return [low, 0];
  const { elements, bits: width, step, isCut } = tensors[low];
  // A tensor of no bits is not the last that begins here.
  const wished = Number((bits - before[low]) / BigInt(width));
  if (step === null) return wished * 2 < elements ? [low, 0] : [low + 1, 0];
  let element = Math.round(wished / step) * step;
  while (element < elements && isCut?.(element) === false) element += step;
  return element < elements ? [low, element] : [low + 1, 0];
}

function shardOf(tensors: readonly PlanTensor[], from: Place, to: Place): Shard {
  const ranges: PartRange[] = [];
  let [elements, bits] = [0, 0n];
  for (let t = from[0]; t < tensors.length && t <= to[0]; t++) {
    const start = t === from[0] ? from[1] : 0;
    const end = t === to[0] ? to[1] : tensors[t].elements;
    // A tensor without elements is where it stands.
    const isHere = end > start || (tensors[t].elements === 0 && t < to[0]);
    if (!isHere) continue;
    ranges.push([t, start, end]);
    elements += end - start;
    bits += BigInt(end - start) * BigInt(tensors[t].bits);
  }
  return { ranges, elements, bytes: Number((bits + 7n) / 8n) };
}
