import { blockLength } from "../../../lens/sum.js";
import { sumBytes } from "../digits.js";

/** Bytes of a block. */
export const blockBytes = 2 * blockLength;

/** Blocks that one call may compare: each has a bit of a word. */
export const mostBlocks = 32;

/** Larger distances are not counted in vectors, but one after the other. */
export const nearDistances = 3;

export const vectorBytes = 16;

/** Vectors that one entry of a list is for: its 32 elements have a bit each. */
export const groupLength = 4;
export const groupBytes = groupLength * vectorBytes;

/** Address and bits. */
export const groupEntry = 8;

/** What the kernel counts, beside bins and the sum: a word, then vectors of words that have to be added up. */
export const report = {
  changed: 0,
  signFlips: 16,
  largeMoves: 32,
  /** Of distance 1, 2 and 3. */
  distances: 48,
} as const;
export const reportBytes = report.distances + 16 * nearDistances;

/** A list of elements has room for a vector more, of zeros that fill up the last. */
const listBytes = blockBytes + vectorBytes;

/** Where the kernel keeps what, in bytes. */
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
    /** A bit for each block of the last call, set where it was left: nothing of it is in what was counted. */
    left: room(4),
    /** For eight bits, set where elements differ: the bytes of these. */
    gathers: room(vectorBytes * 256),
    /** Elements of the last block that changed. */
    changed: room(4),
    /** Where in the block a group differs, and which of its elements. */
    groups: room(groupEntry * (blockBytes / groupBytes + 1)),
    before: room(listBytes),
    after: room(listBytes),
    farther: room(listBytes),
    /** Elements by the bin of their distance and one, from distance 4 on. */
    bins: room(4 * 32),
    /** Blocks that lie elsewhere are copied to here. */
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
