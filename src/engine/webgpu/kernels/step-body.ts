import type { Wgsl } from "../wgsl/writer.js";

/** The parts of a step kernel that depend on the scheme or recipe. */
export interface StepBody {
  /** Functions of the module. */
  readonly module?: string;
  /** Text before all pairs; before and after each 16 of them. */
  readonly before: string;
  readonly beforeChunk?: string;
  readonly afterChunk?: string;
  /** Loads and stores of a pair. */
  readonly loads: readonly string[];
  readonly stores: readonly string[];
  /** Whether the case has a carrier. */
  readonly hasCarrier: boolean;
  /** Whether the weight's change may have the opposite sign of the update. */
  readonly opposes: boolean;
  /** Random words per element. */
  readonly draws: number;
  /** Text for a pair before its elements. */
  readonly pair: string;
  /** One element of a pair. */
  element(half: number): StepElement;
  /** Further counts of a thread, each an expression. */
  readonly counts: readonly string[];
}

/** One element of a pair. `text` declares `u`, the update, and `w`, the weight before it. */
export interface StepElement {
  readonly text: string;
  readonly weight: Wgsl;
  /** Conditions. */
  readonly nonfinite: string;
  readonly carried: string;
  /** Assigns the variables that the pair stores. */
  readonly stores: string;
  readonly shared?: SharedElement;
}

/** The additional parts of an element with a shared scale. */
export interface SharedElement {
  /** A condition: if the number changes, only its scale changed it. */
  readonly collateral: string;
  /** Counts that depend on `collateral` and `zero`; placed after their declarations. */
  readonly counts: string;
  /** The bin of the update among the case's bins: an expression of its magnitude `mu`. */
  readonly place: string;
}
