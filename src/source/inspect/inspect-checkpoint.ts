import { format } from "../../format/registry.js";
import {
  type CountedTensor,
  type InspectedScales,
  type Inspection,
  summarizeInspection,
} from "../../lens/inspect/inspection.js";
import { NumberTally } from "../../lens/inspect/number-tally.js";
import { addQuality, QualityTally, type TargetFormat } from "../../lens/inspect/quality.js";
import { version } from "../../version.js";
import type { Checkpoint } from "../checkpoint.js";
import { FileReader, fileIdentity } from "../file-reader.js";
import { InputError } from "../input-error.js";
import { tableOf } from "../safetensors/decode.js";
import type { StoredTensor } from "../safetensors/stored-tensor.js";
import { decodeScales, scaleBytes } from "../scaled/decode.js";
import { codeSpan, type ScaledCodes, type Scales } from "../scaled/scaled-codes.js";
import { firstSkipped } from "../skip-list.js";
import { type LookedAt, lint } from "./lint.js";
import { squaresOf } from "./squares.js";

export interface InspectOptions {
  /** Formats to try the numbers in. */
  readonly as: readonly TargetFormat[];
  /** The number of 128 x 128 squares to try per tensor, spread over it; null: the whole tensor. */
  readonly sample: number | null;
  /** Called periodically with the number of bytes done. */
  progress?(done: number, total: number): void;
}

/** Numbers read at once. */
const pieceLength = 2 ** 18;

/**
 * Inspects every tensor of a checkpoint: its storage format, the magnitudes of its numbers, its scales, and the error
 * of rounding it to other formats.
 *
 * @throws InputError if a file cannot be read, or if there is nothing to inspect.
 */
export async function inspectCheckpoint(
  checkpoint: Checkpoint,
  options: InspectOptions,
): Promise<Inspection> {
  const { path, within, notes, tensors } = checkpoint;
  const readable = [...tensors.values()].filter(({ values, obstacle }) => values !== null && !obstacle);
  const noFloats = [...tensors.values()].filter(({ values, obstacle }) => values === null && !obstacle);
  const coded = [...tensors.values()].flatMap(({ name, obstacle }) =>
    obstacle ? [{ name, reason: obstacle.reason, elements: obstacle.weights }] : [],
  );
  const skipped = [...coded, ...checkpoint.skipped];
  if (readable.length + noFloats.length + coded.length === 0) {
    throw new InputError(path, "tensors", `none${firstSkipped(skipped)}`);
  }
  const files = new FileReader();
  const total = readable.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  let done = 0;
  const counted: CountedTensor[] = [];
  const tensorScales: (number | null)[] = [];
  try {
    for (const tensor of readable) {
      const before = done;
      const { tensorScale, ...numbers } = await lookAt(tensor, files, options, (share) =>
        options.progress?.(before + share * bytesOf(tensor), total),
      );
      counted.push(numbers);
      tensorScales.push(tensorScale);
      done += bytesOf(tensor);
    }
  } finally {
    files.close();
  }
  const summary = summarizeInspection(counted);
  const looked = summary.tensors.map(
    (tensor, i): LookedAt => ({ tensor, stored: readable[i], tensorScale: tensorScales[i] }),
  );
  return {
    schema: "precision-lens-inspect/1",
    tool: { name: "precision-lens", version },
    input: { path, ...(within !== undefined && { within }), ...(notes.length > 0 && { notes }) },
    settings: {
      as: options.as.map(({ name }) => name),
      sample: options.as.length === 0 ? null : options.sample,
    },
    ...summary,
    lint: lint(looked, tensors),
    noFloats: noFloats.map(({ name, dtype, shape, elements }) => ({
      name,
      dtype: dtype.name,
      shape,
      elements,
    })),
    skipped,
  };
}

function bytesOf({ elements, dtype }: StoredTensor): number {
  return (elements * dtype.bits) / 8;
}

type Looked = CountedTensor & { readonly tensorScale: number | null };

async function lookAt(
  tensor: StoredTensor,
  files: FileReader,
  { as, sample }: InspectOptions,
  progress: (share: number) => void,
): Promise<Looked> {
  const { name, shape, dtype, scaled, elements } = tensor;
  const values = tensor.values!;
  const stored = dtype.format === "fp64" || dtype.format === null ? null : dtype.format;
  const numbers = new NumberTally();
  const piece = new Float64Array(Math.min(pieceLength, elements));
  for (let start = 0; start < elements; start += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, elements - start));
    await values.read(start, part);
    numbers.add(part, scaled || !stored?.subnormals ? 0 : stored.minNormal);
    progress(start / elements);
  }
  if (scaled) numbers.subnormals = subnormalCodes(scaled, files);
  const qualities = new Map(as.map((each) => [each.name, new QualityTally()]));
  if (as.length > 0) {
    // Numbers are stored from fp32, in which one of fp64 may be Inf.
    const amax = Math.fround(numbers.amax);
    for await (const square of squaresOf(values, shape, sample)) {
      for (const each of as) {
        addQuality(square.numbers, square.shape, each, amax, qualities.get(each.name)!);
      }
    }
  }
  const scales = scaled?.scales.map((each) => ({ each, read: readAll(each, files) }));
  const ofTensor = scales?.find(({ each }) => each.count === 1);
  return {
    name,
    shape,
    format: scaled?.format ?? stored?.name ?? "fp64",
    numbers,
    qualities,
    ...(scales && { scales: scales.map(({ each, read }) => inspected(each, read)) }),
    tensorScale: ofTensor?.read[0] ?? null,
  };
}

/** The number of nonzero codes below the smallest normal number of their format. */
function subnormalCodes(scaled: ScaledCodes, files: FileReader): number {
  const element = format(scaled.element);
  const table = tableOf(element);
  const isSubnormal = [...table].map((x) => x !== 0 && Math.abs(x) < element.minNormal);
  const perByte = Array.from({ length: 256 }, (_, byte) =>
    scaled.bits === 8
      ? Number(isSubnormal[byte])
      : Number(isSubnormal[byte & 15]) + Number(isSubnormal[byte >> 4]),
  );
  const file = fileIdentity(scaled.codes.file);
  const { count } = codeSpan(scaled, 0, scaled.elements);
  const bytes = new Uint8Array(Math.min(count, 2 ** 20));
  let found = 0;
  for (let at = 0; at < count; at += bytes.length) {
    const part = bytes.subarray(0, Math.min(bytes.length, count - at));
    files.read(file, scaled.codes.begin + at, part);
    for (let i = 0; i < part.length; i++) found += perByte[part[i]];
  }
  return found;
}

/** All scales of a tensor, which are small relative to its codes. */
function readAll(scales: Scales, files: FileReader): Float32Array {
  const bytes = new Uint8Array(scales.count * scaleBytes(scales));
  files.read(fileIdentity(scales.file), scales.begin, bytes);
  return decodeScales(scales, bytes);
}

function inspected(
  { name, format: formatName, rows, columns, count }: Scales,
  numbers: Float32Array,
): InspectedScales {
  const found = { zeros: 0, nonfinite: 0, negative: 0 };
  let [smallest, largest] = [Number.POSITIVE_INFINITY, 0];
  for (const x of numbers) {
    if (!Number.isFinite(x)) found.nonfinite += 1;
    else if (x === 0) found.zeros += 1;
    else {
      if (x < 0) found.negative += 1;
      smallest = Math.min(smallest, Math.abs(x));
      largest = Math.max(largest, Math.abs(x));
    }
  }
  const any = largest > 0;
  return {
    name,
    format: formatName,
    block: [rows, columns],
    count,
    ...found,
    smallest: any ? smallest : null,
    largest: any ? largest : null,
  };
}
