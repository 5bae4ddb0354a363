import type { Wgsl } from "../wgsl/writer.js";

/** How a case takes its steps. */
export interface StepBody {
  /** Functions of the module. */
  readonly module?: string;
  /** Before the pairs; before and after each 16 of them. */
  readonly before: string;
  readonly beforeChunk?: string;
  readonly afterChunk?: string;
  /** Of a pair. */
  readonly loads: readonly string[];
  readonly stores: readonly string[];
  /** Whether a number changes that classes call the carrier. */
  readonly hasCarrier: boolean;
  /** Whether the update may have another sign than what the weight does. */
  readonly opposes: boolean;
  /** Random words that each element takes. */
  readonly draws: number;
  /** What is done for a pair before its elements. */
  readonly pair: string;
  /** One element of a pair. */
  element(half: number): StepElement;
  /** What else is counted of a thread, each an expression. */
  readonly counts: readonly string[];
}

/** One element of a pair: text in which `u`, the update, and `w`, the weight before it, become known; and what of it. */
export interface StepElement {
  readonly text: string;
  readonly weight: Wgsl;
  /** Conditions. */
  readonly nonfinite: string;
  readonly carried: string;
  /** Assigns what the pair stores. */
  readonly stores: string;
  readonly shared?: SharedElement;
}

/** What else there is of an element that shares its scale. */
export interface SharedElement {
  /** A condition: the number changes by its scale alone, if it does. */
  readonly collateral: string;
  /** Counts by `collateral` and `zero`, when these are known. */
  readonly counts: string;
  /** The bin of the update among the case's bins: an expression of its magnitude `mu`. */
  readonly place: string;
}
