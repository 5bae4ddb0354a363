import type { CastWithoutScale } from "../cast.js";
import type { Geometry } from "../geometry-result.js";
import type { SkippedTensor } from "../input.js";
import type { ModuleKind } from "../module-kind.js";
import type { EndProbe } from "../run/case.js";
import type { Part } from "../shard/part.js";
import type { ChangedCounts } from "../shared-tally.js";
import type { DifferenceTallyJson } from "./difference.js";

/** The result of `diff`, `precision-lens-diff/2`; docs/diff.schema.json is its JSON Schema. */
export interface DifferenceResult {
  readonly schema: "precision-lens-diff/2";
  readonly tool: { readonly name: string; readonly version: string };
  readonly input: { readonly before: DifferenceSide; readonly after: DifferenceSide };
  readonly settings: {
    /** The format to which both sides were rounded; null: each tensor in the narrower of its two. */
    readonly view: string | null;
    readonly strict: boolean;
    /** Of the sample that was compressed. */
    readonly seed: number;
    /** Rules that names were rewritten by. Absent without any. */
    readonly rename?: readonly string[];
    /** Only common rows were compared if row counts differ. */
    readonly commonRows?: boolean;
  };
  /** Why the fields of these names are null; null where they are known. */
  readonly unknown: { readonly hidden: string | null; readonly realSparsity: string | null };
  readonly totals: DifferenceTotals;
  /** One for each kind that occurs, in the order of `moduleKinds`. */
  readonly kinds: readonly DifferenceOfKind[];
  readonly layers: readonly DifferenceOfLayer[];
  readonly heatmaps: readonly Heatmap[];
  readonly tensors: readonly DifferenceOfTensor[];
  readonly delta: Delta;
  /** Integers, booleans and codes without a rule, compared by bytes: no weights of the counts above. Absent without any. */
  readonly byBytes?: readonly BytesOfTensor[];
  /** For AFTER, if it was rounded to formats that usually have scales. Absent otherwise. */
  readonly casts?: readonly CastWithoutScale[];
  /** The geometry of each matrix's change, with null expectations (`--geometry`). */
  readonly geometry?: Geometry;
  /** For a shard or several merged ones, with the counts of each tensor. Absent for a whole. */
  readonly part?: DifferencePart;
  readonly skipped: readonly SkippedTensor[];
}

/** A part of a comparison, and what its merge needs that no summary has. */
export interface DifferencePart extends Part {
  /** One for each of `tensors`, in their order. */
  readonly counted: readonly PartOfTensor[];
}

export interface PartOfTensor {
  readonly tally: DifferenceTallyJson;
  /** What the files can tell; see TensorPair. */
  readonly tells: { readonly hidden: boolean; readonly updates: boolean; readonly bound?: boolean };
  /** Bits of a code, where both sides are codes of one kind with scales: what a delta would send of it. */
  readonly codeBits: number | null;
}

export interface DifferenceSide {
  /** As the caller named it. */
  readonly path: string;
  /** Of a recorded run BEFORE is its base and AFTER its end: the base and all updates, added in fp32. */
  readonly kind: "checkpoint" | "recorded run";
  /** The container within its file that was compared, of a trainer's checkpoint that holds more than a model. */
  readonly within?: string;
  /** Notes such as which of several files was used, one sentence each. */
  readonly notes?: readonly string[];
}

/** A tensor of no floats on either side, of one dtype and shape. */
export interface BytesOfTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
  /** Elements whose bytes differ. */
  readonly changed: number;
}

/** Of weights that are codes of one format with scales on both sides. By number they are counted as all others. */
export interface CodeCounts {
  readonly elements: number;
  /** Another code. */
  readonly changed: number;
  /** The same code, but another number: its scale changed. */
  readonly changedByScale: number;
  readonly scales: number;
  readonly scalesChanged: number;
}

/** Of any set of weights. Shares are of the finite ones, n = elements - nonfinite; null where there is none. */
export interface DifferenceCounts {
  readonly elements: number;
  /** NaN or Inf before or after: in no other count and no ratio. */
  readonly nonfinite: number;
  readonly nonfiniteChanged: number;
  /** The same number: +0 = -0. */
  readonly unchanged: number;
  readonly changed: number;
  /** The bytes differ, of nonfinite numbers too, of +0 and -0, of NaN and NaN; null in results of schema 1. */
  readonly bytesChanged: number | null;
  /** unchanged / n */
  readonly apparentSparsity: number | null;
  /** Unchanged in the compared format, changed in the numbers of the files; null where these cannot tell. */
  readonly hidden: number | null;
  /** Every update zero; null where no updates are known. */
  readonly neverUpdated: number | null;
  /** neverUpdated / n */
  readonly realSparsity: number | null;
  /**
   * An upper bound of the real sparsity: what changed was updated. (unchanged - hidden) / n; null where AFTER
   * or the compared format has scales.
   */
  readonly realSparsityAtMost: number | null;
  readonly signFlips: number;
  readonly probes: { readonly "path-not-taken": EndProbe; readonly "small-subnetworks": EndProbe };
  /**
   * Changed weights by distance in ulps of the compared format: 1, 2, ..., 15, then 16 to 31, 32 to 63 and so on;
   * without the empty bins at the end.
   */
  readonly ulps: readonly number[];
  /** The root of the sum of squared displacements. */
  readonly displacementNorm: number;
  readonly sums: { readonly displacementSquared: readonly number[] };
  /** Absent where no weights are codes with scales on both sides. */
  readonly codes?: CodeCounts;
  /** Where scales are shared: what else changed. `unchanged`, `bytesChanged` and `ulps` are of codes, all else of numbers. */
  readonly shared?: SharedDifference;
}

/** Codes, scales, and the finite weights whose number changed by either. */
export interface SharedDifference extends ChangedCounts {
  readonly numbers: number;
}

export interface DifferenceTotals extends DifferenceCounts {
  readonly tensors: number;
  /** Tensors with elements none of whose bytes changed. */
  readonly tensorsUnchanged: number;
}

export interface DifferenceOfKind extends DifferenceTotals {
  readonly kind: ModuleKind;
}

export interface DifferenceOfLayer extends DifferenceTotals {
  readonly stack: string;
  readonly layer: number;
}

export interface DifferenceOfTensor extends DifferenceCounts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ModuleKind;
  readonly stack: string | null;
  readonly layer: number | null;
  readonly formats: {
    readonly before: string;
    readonly after: string;
    /** In which they were compared. */
    readonly compared: string;
  };
  readonly whollyUnchanged: boolean;
}

/** The apparent sparsity by layer and module; null if a layer has no such module. */
export interface Heatmap {
  readonly stack: string;
  readonly layers: readonly number[];
  readonly kinds: readonly ModuleKind[];
  /** A row a layer, a column a kind. */
  readonly apparentSparsity: readonly (readonly (number | null)[])[];
}

/** What a synchronisation of changes only would send, in the compared formats. */
export interface Delta {
  readonly elements: number;
  /** Elements whose bytes changed. */
  readonly changed: number;
  readonly fullBytes: number;
  /** For each changed element its index, 4 bytes (8 in tensors of over 2^32 elements), and its value. */
  readonly indexValueBytes: number;
  /** One bit for each element, and the values of those that changed. */
  readonly maskValueBytes: number;
  /** Of --write-delta and --apply-delta. */
  readonly file?: DeltaFile;
  readonly sample: DeltaSample;
  /** Estimated for the whole: the sample's compression ratio times the full size; null if unknown. */
  readonly compressed: {
    readonly gzip: CompressedDelta | null;
    readonly zstd: CompressedDelta | null;
    /** Why zstd is null. */
    readonly zstdUnknown: string | null;
  };
}

/** A delta that was written, or applied, and what it makes: AFTER, byte for byte. */
export interface DeltaFile {
  /** Of the delta. */
  readonly bytes: number;
  /** Of all files that it makes. */
  readonly resultBytes: number;
  /** Tensors of which it contains nothing, changes, or everything. */
  readonly same: number;
  readonly changed: number;
  readonly whole: number;
  /** Elements whose bytes changed, of the second. */
  readonly changes: number;
  /** SHA-256 of the tensors that it takes from BEFORE, in hexadecimal. */
  readonly base: string;
  readonly files: readonly DeltaPart[];
}

/** A file that a delta makes. */
export interface DeltaPart {
  /** In its folder; of a single file its name is that of the output. */
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

export interface DeltaSample extends SampledBytes {
  readonly gzip: SampledBytes["plain"];
  readonly zstd: SampledBytes["plain"] | null;
}

export interface SampledBytes {
  readonly chunks: number;
  readonly elements: number;
  readonly changed: number;
  readonly plain: {
    /** The tensors as they are after. */
    readonly full: number;
    /** Gaps between indices in base 128 (LEB128), and values. */
    readonly gapValue: number;
    readonly maskValue: number;
  };
}

/** Estimated bytes. */
export interface CompressedDelta {
  readonly fullBytes: number;
  readonly gapValueBytes: number;
  readonly maskValueBytes: number;
}
