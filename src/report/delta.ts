import type { Delta, DeltaFile } from "../lens/difference/difference-result.js";
import { printable } from "../lens/printable.js";
import { tableOf } from "./blocks/block.js";
import type { NumberTable } from "./charts/figure.js";
import { bytes, count, counted, missing, percent, share } from "./numbers.js";

/** The bytes that a synchronisation would send. */
export function deltaTable(delta: Delta): NumberTable {
  const shown = (n: number | null, textOf: (n: number) => string) => (n === null ? missing : textOf(n));
  return tableOf(deltaRows(delta), [
    ["to send", ([what]) => what],
    ["bytes", ([, n]) => shown(n, bytes)],
    ["of full size", ([, n]) => shown(n, (size) => percent(share(size, delta.fullBytes)))],
  ]);
}

/** The encodings of a synchronisation, and their bytes; null if unknown. */
export function deltaRows({
  compressed: { gzip, zstd },
  ...delta
}: Delta): (readonly [string, number | null])[] {
  const packed = (by: string, costs: typeof gzip) =>
    [
      [`everything, ${by}*`, costs?.fullBytes ?? null],
      [`index gaps and values, ${by}*`, costs?.gapValueBytes ?? null],
      [`bit mask and values, ${by}*`, costs?.maskValueBytes ?? null],
    ] as const;
  return [
    ...(delta.file ? [["the delta, as a file", delta.file.bytes] as const] : []),
    ["everything", delta.fullBytes],
    ["index and value of what changed", delta.indexValueBytes],
    ["bit mask, and values of what changed", delta.maskValueBytes],
    ...(delta.sample.chunks > 0 ? packed("gzip", gzip) : []),
    ...(zstd ? packed("zstd", zstd) : []),
  ];
}

export function deltaNotes({ file, sample, compressed: { zstdUnknown } }: Delta): string[] {
  const none = sample.chunks === 0;
  const size = `${counted(sample.elements, "weight")} in ${count(sample.chunks)} ${sample.chunks === 1 ? "chunk" : "chunks"}`;
  return [
    ...(file ? [deltaFileNote(file)] : []),
    none
      ? "Compressed sizes were not sampled."
      : `* Estimated from a sample of ${size}.${zstdUnknown === null ? "" : ` No figures of zstd: ${printable(zstdUnknown)}.`}`,
  ];
}

/** The output and the base of a delta. */
function deltaFileNote({
  bytes: size,
  resultBytes,
  same,
  changed,
  whole,
  changes,
  files,
}: DeltaFile): string {
  const [first] = files;
  const made = files.length === 1 ? `SHA-256 ${first.sha256}` : counted(files.length, "file");
  return (
    `The delta, ${bytes(size)}, makes AFTER byte for byte (${bytes(resultBytes)}; ${made}): ${counted(changes, "change")} in ` +
    `${counted(changed, "tensor")}, ${count(whole)} whole, ${count(same)} as in BEFORE.`
  );
}
