import { blockLength } from "../../../lens/sum.js";
import { sumBytes } from "../digits.js";

/** The size of a block in bytes. */
export const blockBytes = 2 * blockLength;

/** The maximum number of blocks per call: each has a bit of a word. */
export const mostBlocks = 32;

/** Larger distances are counted one by one instead of in vectors. */
export const nearDistances = 3;

export const vectorBytes = 16;

/** Vectors per list entry: each of its 32 elements has a bit. */
export const groupLength = 4;
export const groupBytes = groupLength * vectorBytes;

/** Address and bits. */
export const groupEntry = 8;

/** The counts of the kernel besides bins and the sum: a word, then vectors of words to be added up. */
export const report = {
  changed: 0,
  signFlips: 16,
  largeMoves: 32,
  /** Counts of distances 1, 2 and 3. */
  distances: 48,
} as const;
export const reportBytes = report.distances + 16 * nearDistances;

/** A list of elements has room for another vector of zeros as padding. */
const listBytes = blockBytes + vectorBytes;

/** The memory layout of the kernel, in bytes. */
export const layout = (() => {
  let end = 0;
  const room = (bytes: number) => {
    const at = end;
    end += Math.ceil(bytes / vectorBytes) * vectorBytes;
    return at;
  };
  return {
    report: room(reportBytes),
    /** The digits of the sum of all blocks' sums. */
    sum: room(sumBytes),
    /** A bit for each block of the last call, set if it was skipped and is not in the counts. */
    left: room(4),
    /** For each pattern of eight difference bits: the byte indices of the differing elements. */
    gathers: room(vectorBytes * 256),
    /** The number of changed elements in the last block. */
    changed: room(4),
    /** The groups of the block that differ, with bits for their elements. */
    groups: room(groupEntry * (blockBytes / groupBytes + 1)),
    before: room(listBytes),
    after: room(listBytes),
    farther: room(listBytes),
    /** Counts by bin of distance + 1, from distance 4 on. */
    bins: room(4 * 32),
    /** Space for blocks copied from other memory. */
    scratch: [room(mostBlocks * blockBytes), room(mostBlocks * blockBytes)],
    bytes: end,
  } as const;
})();

/** The bytes of `layout.gathers`. */
export function gathers(): Uint8Array {
  const rows = Array.from({ length: 256 }, (_, bits) => {
    const differing = [0, 1, 2, 3, 4, 5, 6, 7].filter((lane) => bits & (1 << lane));
    const bytes = differing.flatMap((lane) => [2 * lane, 2 * lane + 1]);
    // Beyond the vector there are zeros.
    return Array.from({ length: vectorBytes }, (_, i) => bytes[i] ?? 0xff);
  });
  return Uint8Array.from(rows.flat());
}
