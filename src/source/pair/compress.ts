import * as zlib from "node:zlib";
import type { DeltaStreams } from "../../lens/difference/delta.js";
import type { SampledBytes } from "../../lens/difference/difference-result.js";

/** The compressed sizes of a delta's streams, in bytes. */
export type Compressed = SampledBytes["plain"];

type Compress = (bytes: Uint8Array) => Uint8Array;

/** Exists since Node 22.15; the types are those of Node 20, which this package supports. */
const zstd = (zlib as { zstdCompressSync?: Compress }).zstdCompressSync;

/** Why there are no zstd figures, or null. */
export const zstdUnknown =
  zstd === undefined ? `Node ${process.versions.node} has no zstd; Node 22.15 has` : null;

/** Compresses with gzip and zstd at their default levels, 6 and 3. */
export function compressed(streams: DeltaStreams): { gzip: Compressed; zstd: Compressed | null } {
  return { gzip: by(zlib.gzipSync, streams), zstd: zstd === undefined ? null : by(zstd, streams) };
}

function by(compress: Compress, { full, gapValue, maskValue }: DeltaStreams): Compressed {
  return {
    full: compress(full).length,
    gapValue: compress(gapValue).length,
    maskValue: compress(maskValue).length,
  };
}
