import type { DifferenceTally } from "../../lens/difference/difference.js";
import type { FileIdentity, FileReader } from "../file-reader.js";
import { decodeScales, scaleBytes } from "../scaled/decode.js";
import type { ScaledCodes, Scales } from "../scaled/scaled-codes.js";
import { areAlikeScales } from "./scaled-pair.js";

/** Scales read at once. */
const pieceLength = 2 ** 16;

interface Files {
  readonly of: FileReader;
  readonly identities: ReadonlyMap<string, FileIdentity>;
}

/**
 * Counts the scales of two tensors, and those that differ. All count as changed if they are not shared by the same
 * elements, or if only one side has a tensor scale.
 *
 * @throws InputError if a file cannot be read or has changed.
 */
export function compareScales(
  before: ScaledCodes,
  after: ScaledCodes,
  files: Files,
  tally: DifferenceTally,
): void {
  for (const [i, to] of after.scales.entries()) {
    const from = before.scales[i];
    const changed = from && areAlikeScales(from, to) ? countChanged(from, to, files) : to.count;
    tally.scales += to.count;
    tally.scalesChanged += changed;
    tally.scaleBytes += to.count * scaleBytes(to);
    tally.scaleBytesChanged += changed * scaleBytes(to);
  }
}

function countChanged(before: Scales, after: Scales, files: Files): number {
  let changed = 0;
  for (let start = 0; start < after.count; start += pieceLength) {
    const count = Math.min(pieceLength, after.count - start);
    const [a, b] = [before, after].map((scales) => {
      const width = scaleBytes(scales);
      const bytes = new Uint8Array(count * width);
      files.of.read(files.identities.get(scales.file)!, scales.begin + start * width, bytes);
      return decodeScales(scales, bytes);
    });
    for (let j = 0; j < count; j++) if (!Object.is(a[j], b[j])) changed += 1;
  }
  return changed;
}
