import type { TensorPart } from "../geometry/job.js";
import type { DifferenceTallyJson } from "../lens/difference/difference.js";
import type { Rename } from "../source/names/rename.js";
import type { ResumeLog } from "../source/resume-log.js";
import type { OutputOptions } from "./common-options.js";
import type { GeometryOptions } from "./geometry-options.js";
import type { Streams } from "./streams.js";

export interface DiffOptions extends OutputOptions, GeometryOptions {
  readonly view?: string;
  readonly strict?: boolean;
  readonly rename?: readonly Rename[];
  readonly commonRows?: boolean;
  readonly sample: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume?: string;
  readonly shard?: unknown;
  readonly writeDelta?: string;
  readonly applyDelta?: string;
  /** A merged checkpoint to compare with; for a LoRA adapter. */
  readonly merged?: string;
  readonly unmerge?: boolean;
  readonly roundUpdate?: string;
  readonly lr?: number;
  readonly steps?: number;
}

/** The action of `diff` if AFTER is a LoRA adapter. */
export type MergeAdapter = (
  base: string,
  adapter: string,
  options: DiffOptions,
  streams: Streams,
) => Promise<void>;

/** Tallies by tensor name, and parts of a geometry under separate names. */
export type ComparisonLog = ResumeLog<DifferenceTallyJson | TensorPart>;
