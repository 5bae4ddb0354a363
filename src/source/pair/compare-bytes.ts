import type { BytesOfTensor } from "../../lens/difference/difference-result.js";
import { FileReader, fileIdentity } from "../file-reader.js";
import { dtypes } from "../safetensors/dtype.js";
import type { BytesPair } from "./bytes-pair.js";

/** Bytes read at once: whole elements of every dtype. */
const pieceBytes = 2 ** 20;

/**
 * Counts the elements whose bytes differ, in tensors of integers, booleans, or codes of unknown layout.
 *
 * @throws InputError if a file cannot be read.
 */
export function compareBytes(pairs: readonly BytesPair[]): BytesOfTensor[] {
  const files = new FileReader();
  try {
    return pairs.map(({ before, after }) => {
      const { name, shape, elements, dtype } = before;
      const width = dtypes.get(dtype)!.bits / 8;
      const [a, b] = [before, after].map(({ stored }) => ({
        file: fileIdentity(stored!.file),
        begin: stored!.begin,
        bytes: new Uint8Array(Math.min(pieceBytes, elements * width)),
      }));
      let changed = 0;
      for (let at = 0; at < elements * width; at += pieceBytes) {
        const [from, to] = [a, b].map(({ file, begin, bytes }) => {
          const part = bytes.subarray(0, Math.min(pieceBytes, elements * width - at));
          files.read(file, begin + at, part);
          return part;
        });
        changed += elementsChanged(from, to, width);
      }
      return { name, dtype, shape, elements, changed };
    });
  } finally {
    files.close();
  }
}

function elementsChanged(before: Uint8Array, after: Uint8Array, width: number): number {
  let changed = 0;
  for (let at = 0; at < before.length; at += width) {
    for (let byte = at; byte < at + width; byte++) {
      if (before[byte] === after[byte]) continue;
      changed += 1;
      break;
    }
  }
  return changed;
}
