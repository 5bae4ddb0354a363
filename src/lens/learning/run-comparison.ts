import type { SkippedTensor } from "../input.js";
import type { Case } from "../run/case.js";
import type { Outcome } from "./outcome.js";

/** A comparison of recorded runs: the classes of their updates, and their outcomes. */
export interface RunComparison {
  readonly schema: "precision-lens-compare/1";
  readonly tool: { readonly name: "precision-lens"; readonly version: string };
  readonly input: { readonly runs: number };
  /** How the updates are stored to be counted, where a run does not have its own way. */
  readonly settings: Storage & { readonly seed: number };
  readonly runs: readonly ComparedRun[];
}

interface Storage {
  readonly format: string;
  readonly scheme: string;
  readonly rounding: string;
}

export interface ComparedRun {
  /** The folder, as it was given. */
  readonly path: string;
  /** The recording's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly stepNumbers: readonly number[];
  /** How the recording says that the run is stored, if its updates were counted so; else they were as `settings` says. */
  readonly storedAs?: Storage;
  /** Why no update was counted; all counts are zero then. */
  readonly uncounted?: string;
  readonly totals: Case["totals"];
  readonly end: Case["end"];
  /** Null where the folder has no outcome.json. */
  readonly outcome: Outcome | null;
  readonly skipped: readonly SkippedTensor[];
}

/** How the updates of a run were stored to be counted. */
export function storageOf({ settings }: Pick<RunComparison, "settings">, { storedAs }: ComparedRun): Storage {
  const { format, scheme, rounding } = storedAs ?? settings;
  return { format, scheme, rounding };
}
