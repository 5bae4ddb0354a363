import type { MomentKind, StoredBytes } from "../../lens/input.js";
import type { MomentStart, RecipePlan } from "../recipe-plan.js";
import type { Layout } from "./layout.js";
import type { TensorBlocks } from "./tensor-blocks.js";

/** Numbers that a worker reads itself. */
export interface WorkerSource extends Pick<StoredBytes, "in" | "identity" | "byteOffset"> {
  readonly codeBytes: number;
  /** The name of the kernel that decodes them; unused for fp32. */
  readonly decode: string;
  /** The bits of the fp32 number by which each is multiplied; null for none. */
  readonly scale: number | null;
}

/** Weights drawn by a kernel: its name, the random key, and its last parameters as fp32 bits. */
export interface WorkerDraws {
  readonly kernel: string;
  readonly key: readonly number[];
  readonly mean: number;
  readonly sigma: number;
}

/** A factor of a product, in row-major or, if transposed, column-major order. */
export interface WorkerFactor {
  readonly source: WorkerSource;
  readonly transposed: boolean;
}

/** Updates computed by a kernel: drawn with the key of each step, two words, or as products with the scale of each. */
export type WorkerUpdates =
  | { readonly kernel: "draw"; readonly keys: Uint32Array }
  | {
      readonly kernel: "adamw";
      readonly keys: Uint32Array;
      readonly signal: readonly number[] | null;
      readonly scale: number;
      /** The address of the first step's scalars, and the bytes of scalars per step. */
      readonly scalars: number;
      readonly scalarBytes: number;
    }
  | {
      readonly kernel: "product";
      /** The name of the kernel that multiplies. */
      readonly multiply: string;
      readonly left: WorkerFactor;
      readonly right: WorkerFactor;
      readonly rows: number;
      readonly columns: number;
      readonly rank: number;
      readonly scales: readonly number[];
    };

/** The recipe parameters of a tensor. */
export interface WorkerRecipe {
  /** The address of the first step's scalars. */
  readonly scalars: number;
  /** The recorded moments, the address of those of the fp32 run, and how cases start from them. */
  readonly moments: readonly {
    readonly kind: MomentKind;
    readonly row: number;
    readonly source: WorkerSource;
    readonly starts: readonly MomentStart[];
  }[];
}

export interface WorkerTensor {
  /** The range of elements to count. */
  readonly start: number;
  readonly length: number;
  readonly weights: WorkerSource | WorkerDraws;
  readonly updates: readonly WorkerSource[] | WorkerUpdates;
  /** Keys of the random bits: two words for each step of each case. */
  readonly keys: Uint32Array;
  readonly recipe: WorkerRecipe | null;
  /** Where a case shares scales. */
  readonly blocks: TensorBlocks | null;
  /** The index of its first chunk among those of all tensors. */
  readonly firstTask: number;
  readonly tasks: number;
}

/** The message to a worker: plain data, a compiled module and shared memory. */
export interface WorkerJob {
  readonly module: object;
  readonly pages: number;
  readonly layout: Layout;
  /** The contents of layout.constants. */
  readonly constants: Uint8Array;
  readonly stepTallyBytes: number;
  readonly tensorTallyBytes: number;
  readonly cases: number;
  readonly steps: number;
  /** See LensJob. */
  readonly milestones: readonly number[];
  /** Null if cases have schemes. */
  readonly recipes: Pick<RecipePlan, "scalarBytes" | "tailBlocks"> | null;
  readonly tensors: readonly WorkerTensor[];
  /**
   * Tasks are chunks. Measuring tasks come first: chunks of tensors whose blocks must be measured before they are
   * counted.
   */
  readonly measured: readonly { readonly tensor: number; readonly firstTask: number }[];
  readonly measuring: number;
  readonly tasks: number;
  readonly wantsWeights: boolean;
  /** This worker's number. */
  readonly worker: number;
  /**
   * The next task; the number of tasks done, and of measuring ones done; and for each worker 1 if its last answer
   * was received, else 0.
   */
  readonly shared: Int32Array;
}

/** Numbers that a worker could not read. */
export interface FailedRead {
  readonly tensor: number;
  readonly step: number | MomentKind | null;
  readonly start: number;
}

/** An answer of a worker. */
export type WorkerAnswer =
  | { readonly done: true }
  | {
      readonly failed: string;
      readonly during: FailedRead | null;
    }
  | {
      readonly weights: Float32Array;
      readonly case: number;
      readonly tensor: number;
      readonly start: number;
    }
  | {
      readonly tensor: number;
      readonly elements: number;
      readonly padding: number;
      /** The memory of each case from its tally to the end of its step tallies. */
      readonly tallies: readonly Uint8Array[];
    };
