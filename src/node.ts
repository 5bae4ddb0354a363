/** The library for Node: all of index.ts, and the sources that read files. */

export { type DescribedJob, runLens } from "./engine/run-lens.js";
export { selectEngine } from "./engine/select.js";
export * from "./index.js";
export { InputError } from "./source/input-error.js";
export { openRecording, type Recording, type RecordingPaths, recordedRun } from "./source/recording.js";
export { type Checkpoint, openCheckpoint } from "./source/safetensors/checkpoint.js";
