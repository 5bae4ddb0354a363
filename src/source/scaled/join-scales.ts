import { format } from "../../format/registry.js";
import type { SkippedTensor, Values } from "../../lens/input.js";
import { quote } from "../input-error.js";
import { expectInside, type StoredTensor } from "../safetensors/stored-tensor.js";
import { combine, type Fitted } from "./combine.js";
import { decodeScaled, decodeScales, scaleBytes } from "./decode.js";
import { type Layout, layouts } from "./layouts.js";
import { codeSpan, type ScaledCodes, scaleSpan } from "./scaled-codes.js";
import { scaledCodes } from "./uncovered.js";

type Tensors = ReadonlyMap<string, StoredTensor>;

export interface Joined {
  /** The tensors, with codes and their scales joined to one tensor of numbers at the position of the codes. */
  readonly tensors: Tensors;
  /** Scales and similar tensors of codes that are not readable; these are not weights. */
  readonly skipped: readonly SkippedTensor[];
}

/** Joins codes and their scales. Codes of unknown layout stay, with the reason why they have no numbers. */
export function joinScales(tensors: Tensors): Joined {
  const uncovered = scaledCodes(
    new Map([...tensors].map(([name, { dtype }]) => [name, { name, dtype: dtype.name }])),
  );
  const used = new Set<string>();
  const unread = new Map<string, string>();
  const joined = new Map<string, StoredTensor>();
  for (const tensor of tensors.values()) {
    const found = layoutOf(tensor, tensors);
    const plain = uncovered.codes.get(tensor.name);
    if (found === null) {
      joined.set(tensor.name, plain ? leftOut(tensor, plain.reason, plain.weightsPerElement) : tensor);
      continue;
    }
    const { fitted, perElement, sidecars } = found;
    if (typeof fitted === "string") {
      // Keep the names of the file, because the user has to fix something there.
      joined.set(tensor.name, leftOut(tensor, fitted, perElement));
      for (const name of sidecars) unread.set(name, `belongs to the codes in ${quote(tensor.name)}`);
      continue;
    }
    for (const name of sidecars) used.add(name);
    // If there is a tensor with that name too, the codes keep their name.
    const name = found.name !== tensor.name && tensors.has(found.name) ? tensor.name : found.name;
    joined.set(name, numbersOf(tensor, name, fitted, tensors));
  }
  for (const name of used) joined.delete(name);
  const skipped = [...new Map([...uncovered.sidecars, ...unread])].flatMap(([name, reason]) =>
    used.has(name) || !joined.delete(name) ? [] : [{ name, reason }],
  );
  return { tensors: joined, skipped };
}

interface FoundLayout {
  readonly name: string;
  readonly perElement: number;
  readonly fitted: Fitted | string;
  readonly sidecars: readonly string[];
}

function layoutOf(codes: StoredTensor, tensors: Tensors): FoundLayout | null {
  for (const layout of layouts) {
    const element = layout.elements[codes.dtype.name];
    if (element === undefined || !codes.name.endsWith(layout.codes)) continue;
    const stem = codes.name.slice(0, codes.name.length - layout.codes.length);
    const scales = tensors.get(stem + layout.scales);
    if (scales === undefined || !(scales.dtype.name in layout.scaleFormats)) continue;
    const tensorScaleName = tensorScaleOf(layout, stem, scales);
    const tensorScale = tensorScaleName === null ? null : (tensors.get(tensorScaleName) ?? null);
    const sidecars = [scales.name, ...(tensorScale ? [tensorScale.name] : [])];
    return {
      name: stem + layout.numbers,
      perElement: element.perElement,
      fitted:
        tensorScaleName !== null && tensorScale?.dtype.name !== "F32"
          ? `its tensor scale ${quote(tensorScaleName)} is ${tensorScale ? `${tensorScale.dtype.name}, not F32` : "not there"}`
          : combine(layout, { codes, scales, tensorScale }),
      sidecars,
    };
  }
  return null;
}

function tensorScaleOf({ tensorScale }: Layout, stem: string, scales: StoredTensor): string | null {
  return tensorScale?.with.includes(scales.dtype.name) ? stem + tensorScale.ending : null;
}

function leftOut(tensor: StoredTensor, reason: string, perElement: number): StoredTensor {
  return { ...tensor, values: null, obstacle: { reason, weights: tensor.elements * perElement } };
}

function numbersOf(
  codes: StoredTensor,
  name: string,
  { shape, scaled }: Fitted,
  tensors: Tensors,
): StoredTensor {
  const { elements } = scaled;
  const dtype = { name: scaled.format, bits: scaled.bits, format: format("fp32") };
  const values = scaledNumbers(scaled, codes, tensors);
  return { name, dtype, shape, elements, file: codes.file, begin: null, values, scaled };
}

/** Elements decoded at once. */
const pieceLength = 2 ** 17;

function scaledNumbers(scaled: ScaledCodes, codes: StoredTensor, tensors: Tensors): Values {
  const { elements } = scaled;

  async function readPiece(start: number, into: Float32Array): Promise<void> {
    const { first, count } = codeSpan(scaled, start, into.length);
    const bytes = new Uint8Array(count);
    await codes.source!.read(codes.begin! + first, bytes);
    const scales = [];
    for (const each of scaled.scales) {
      const span = scaleSpan(scaled, each, start, into.length);
      const width = scaleBytes(each);
      const stored = new Uint8Array(span.count * width);
      await tensors.get(each.name)!.source!.read(each.begin + span.first * width, stored);
      scales.push({ first: span.first, numbers: decodeScales(each, stored) });
    }
    decodeScaled(scaled, start, bytes, scales, into);
  }

  return {
    length: elements,
    async read(start, into) {
      expectInside(start, into, elements);
      for (let done = 0; done < into.length; done += pieceLength) {
        const part = into.subarray(done, done + pieceLength);
        if (part instanceof Float32Array) await readPiece(start + done, part);
        else {
          const numbers = new Float32Array(part.length);
          await readPiece(start + done, numbers);
          part.set(numbers);
        }
      }
    },
  };
}
