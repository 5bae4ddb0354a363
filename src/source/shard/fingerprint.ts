import { createHash } from "node:crypto";
import { basename } from "node:path";
import { FileReader, fileIdentity } from "../file-reader.js";

/** The number of pieces in a fingerprint, which include the first and last bytes, and the bytes per piece. */
const pieces = 16;
const pieceBytes = 4096;

/**
 * Identifies a file on all machines: name, size, and a digest of 64 KiB in equally spaced pieces. Folder and
 * modification time are excluded, because they differ between copies and mounts. Two checkpoints of one model have the
 * same headers, but no training leaves 32,000 weights unchanged.
 *
 * @throws InputError if the file cannot be read.
 */
export function fingerprint(path: string): string {
  const identity = fileIdentity(path);
  const hash = createHash("sha256");
  const reader = new FileReader(1);
  try {
    for (const [position, length] of piecesOf(identity.size)) {
      const bytes = new Uint8Array(length);
      reader.read(identity, position, bytes);
      hash.update(bytes);
    }
  } finally {
    reader.close();
  }
  return `${basename(path)} ${identity.size} ${hash.digest("hex").slice(0, 32)}`;
}

function piecesOf(size: number): [position: number, length: number][] {
  if (size <= pieces * pieceBytes) return [[0, size]];
  return Array.from({ length: pieces }, (_, i) => [
    Math.floor(((size - pieceBytes) * i) / (pieces - 1)),
    pieceBytes,
  ]);
}

/** The work to divide: a command with its settings on tensors of files. */
export interface PlannedWork {
  readonly version: string;
  readonly command: string;
  /** All settings on which a result depends; JSON. */
  readonly settings: unknown;
  /** Names, shapes and formats of all tensors, in order; JSON. */
  readonly tensors: unknown;
  readonly files: readonly string[];
}

/**
 * A digest that identifies the parts of one whole.
 *
 * @throws InputError if a file cannot be read.
 */
export function planDigest({ files, ...work }: PlannedWork): string {
  const marks = files.map(fingerprint).sort();
  return createHash("sha256")
    .update(JSON.stringify({ ...work, files: marks }))
    .digest("hex")
    .slice(0, 32);
}
