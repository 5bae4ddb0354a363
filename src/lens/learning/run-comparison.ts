import type { SkippedTensor } from "../input.js";
import type { Case } from "../run/case.js";
import type { Outcome } from "./outcome.js";

/** A comparison of recorded runs: the classes of their updates, and their outcomes. */
export interface RunComparison {
  readonly schema: "precision-lens-compare/1";
  readonly tool: { readonly name: "precision-lens"; readonly version: string };
  readonly input: { readonly runs: number };
  /** How the updates are stored to be counted: one way for all. */
  readonly settings: {
    readonly format: string;
    readonly scheme: string;
    readonly rounding: string;
    readonly seed: number;
  };
  readonly runs: readonly ComparedRun[];
}

export interface ComparedRun {
  /** The folder, as it was given. */
  readonly path: string;
  /** The recording's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly stepNumbers: readonly number[];
  readonly totals: Case["totals"];
  readonly end: Case["end"];
  /** Null where the folder has no outcome.json. */
  readonly outcome: Outcome | null;
  readonly skipped: readonly SkippedTensor[];
}
