import type { BytesOfTensor } from "../difference/difference-result.js";
import type { SkippedTensor } from "../input.js";
import { moduleOf } from "../module.js";
import { type ModuleKind, moduleKinds } from "../module-kind.js";
import { NumberTally } from "./number-tally.js";
import { QualityTally } from "./quality.js";

/** The result of `inspect`, `precision-lens-inspect/1`; docs/inspect.schema.json is its JSON Schema. */
export interface Inspection extends InspectionSummary {
  readonly schema: "precision-lens-inspect/1";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: { readonly path: string; readonly within?: string; readonly notes?: readonly string[] };
  readonly settings: {
    /** Formats that numbers were tried in. */
    readonly as: readonly string[];
    /** Squares of 128 x 128 numbers of a tensor that were tried at most; null: all. */
    readonly sample: number | null;
  };
  readonly lint: readonly Lint[];
  /** Tensors of no floats. */
  readonly noFloats: readonly Omit<BytesOfTensor, "changed">[];
  readonly skipped: readonly SkippedTensor[];
}

/** Squares of a tensor that are tried where nothing else is asked for. */
export const defaultSample = 4;

export interface InspectionSummary {
  readonly totals: InspectedTotals;
  /** By what tensors are stored in, most weights first. */
  readonly formats: readonly (InspectedTotals & { readonly format: string })[];
  readonly kinds: readonly (InspectedTotals & { readonly kind: ModuleKind })[];
  readonly layers: readonly (InspectedTotals & { readonly stack: string; readonly layer: number })[];
  readonly tensors: readonly InspectedTensor[];
}

export interface InspectedCounts {
  readonly elements: number;
  readonly zeros: number;
  /** Of the format that they are stored in; under a scale of their codes. */
  readonly subnormals: number;
  readonly nonfinite: number;
  /** Magnitudes other than zero; null where there is none. */
  readonly smallest: number | null;
  readonly largest: number | null;
  /** The root of the mean square of finite numbers. */
  readonly rms: number | null;
  /** Absent where no format was asked for. */
  readonly as?: readonly InspectedQuality[];
}

export interface InspectedTotals extends InspectedCounts {
  readonly tensors: number;
}

export interface InspectedTensor extends InspectedCounts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ModuleKind;
  readonly stack: string | null;
  readonly layer: number | null;
  readonly format: string;
  /** Where it is codes and scales. */
  readonly scales?: readonly InspectedScales[];
}

export interface InspectedScales {
  readonly name: string;
  readonly format: string;
  /** Rows and columns that share one. */
  readonly block: readonly [rows: number, columns: number];
  readonly count: number;
  readonly zeros: number;
  readonly nonfinite: number;
  readonly negative: number;
  readonly smallest: number | null;
  readonly largest: number | null;
}

/** The effect of storing numbers, or a sample of them, in a format. */
export interface InspectedQuality {
  readonly format: string;
  readonly elements: number;
  readonly clipped: number;
  readonly flushed: number;
  /** Finite numbers that become NaN, because they share a scale with a NaN or Inf; not in the ratio. Absent if none. */
  readonly storedNaN?: number;
  /** 10 log10(signal / error), in dB; null where storage changes nothing. */
  readonly sqnr: number | null;
  readonly sums: { readonly signal: readonly number[]; readonly error: readonly number[] };
}

/** Something that is most likely a mistake. */
export interface Lint {
  readonly rule: LintRule;
  readonly tensor: string;
  readonly finding: string;
}

export const lintRules = [
  "scales-missing",
  "scales-shape",
  "scales-zero",
  "scales-nonfinite",
  "scales-negative",
  "scales-uninitialised",
  "gate-up-scales-differ",
  "numbers-nonfinite",
] as const;
export type LintRule = (typeof lintRules)[number];

/** What was counted of a tensor. */
export interface CountedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: string;
  readonly numbers: NumberTally;
  /** By format, in the order in which they were asked for. */
  readonly qualities: ReadonlyMap<string, QualityTally>;
  readonly scales?: readonly InspectedScales[];
}

/** Adds up tensors, weighted by element count. */
export function summarizeInspection(tensors: readonly CountedTensor[]): InspectionSummary {
  const placed = tensors.map((tensor) => ({ ...tensor, ...moduleOf(tensor.name) }));
  const groups = <Key>(keyOf: (tensor: (typeof placed)[number]) => Key) => {
    const found = new Map<Key, (typeof placed)[number][]>();
    for (const tensor of placed) {
      const key = keyOf(tensor);
      found.set(key, [...(found.get(key) ?? []), tensor]);
    }
    return found;
  };
  const formats = [...groups(({ format }) => format)].map(([format, own]) => ({ format, ...totalsOf(own) }));
  const byKind = groups(({ kind }) => kind);
  const byLayer = groups(({ stack, layer }) => (stack === null ? "" : `${stack} ${layer}`));
  return {
    totals: totalsOf(placed),
    formats: formats.sort((a, b) => b.elements - a.elements),
    kinds: moduleKinds.flatMap((kind) =>
      byKind.has(kind) ? [{ kind, ...totalsOf(byKind.get(kind)!) }] : [],
    ),
    layers: [...byLayer.values()].flatMap((ofLayer) => {
      const [{ stack, layer }] = ofLayer;
      return stack === null ? [] : [{ stack, layer: layer!, ...totalsOf(ofLayer) }];
    }),
    tensors: placed.map(({ name, shape, kind, stack, layer, format, numbers, qualities, scales }) => ({
      name,
      shape,
      kind,
      stack,
      layer,
      format,
      ...countsOf(numbers, qualities),
      ...(scales && { scales }),
    })),
  };
}

function totalsOf(tensors: readonly CountedTensor[]): InspectedTotals {
  const numbers = new NumberTally();
  const qualities = new Map<string, QualityTally>();
  for (const tensor of tensors) {
    numbers.merge(tensor.numbers);
    for (const [format, quality] of tensor.qualities) {
      const sum = qualities.get(format) ?? new QualityTally();
      sum.merge(quality);
      qualities.set(format, sum);
    }
  }
  return { tensors: tensors.length, ...countsOf(numbers, qualities) };
}

function countsOf(
  { elements, zeros, subnormals, nonfinite, smallest, largest, squares }: NumberTally,
  qualities: ReadonlyMap<string, QualityTally>,
): InspectedCounts {
  const finite = elements - nonfinite;
  const any = finite - zeros > 0;
  return {
    elements,
    zeros,
    subnormals,
    nonfinite,
    smallest: any ? smallest : null,
    largest: any ? largest : null,
    rms: finite === 0 ? null : Math.sqrt(squares.value() / finite),
    ...(qualities.size > 0 && { as: [...qualities].map(([format, quality]) => qualityOf(format, quality)) }),
  };
}

function qualityOf(
  format: string,
  { elements, clipped, flushed, storedNaN, signal, error }: QualityTally,
): InspectedQuality {
  const [s, e] = [signal.value(), error.value()];
  return {
    format,
    elements,
    clipped,
    flushed,
    ...(storedNaN > 0 && { storedNaN }),
    sqnr: e > 0 && s > 0 ? 10 * Math.log10(s / e) : null,
    sums: { signal: signal.parts(), error: error.parts() },
  };
}
