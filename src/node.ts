/** The library for Node: all of index.ts, and the sources that read files. */

export { type DiffOptions, diff } from "./diff.js";
export type { Engine, LensJob, Observer } from "./engine/engine.js";
export { type DescribedJob, runLens } from "./engine/run-lens.js";
export type { CountedPart, PartLog } from "./engine/run-parts.js";
export { type ProvenEngine, selectEngine } from "./engine/select.js";
export * from "./index.js";
export type * from "./lens/difference/difference-result.js";
export type { CaseTally } from "./lens/run/summarize.js";
export { type Checkpoint, openCheckpoint } from "./source/checkpoint.js";
export { InputError } from "./source/input-error.js";
export { openRecording, type Recording, type RecordingPaths, recordedRun } from "./source/recording.js";
export { type Replay, type ReplayOptions, replayOf } from "./source/replay.js";
