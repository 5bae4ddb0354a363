import { selectEngine } from "../../engine/select.js";
import { compareNumbers, DifferenceTally } from "../../lens/difference/difference.js";
import { type DifferenceSummary, summarizeDifference } from "../../lens/difference/summarize-difference.js";
import type { SkippedTensor } from "../../lens/input.js";
import type { Case } from "../../lens/run/case.js";
import { summarizeCase } from "../../lens/run/summarize.js";
import { bringTogether, parseUpdateName } from "../../source/bring-together.js";
import { InputError } from "../../source/input-error.js";
import { nameOf, pairUp, storedAs } from "../../source/pair/pair-up.js";
import type { Side } from "../../source/pair/side.js";
import { sideTensor } from "../../source/pair/side-tensor.js";
import type { ByteSource, Safetensors } from "../../source/safetensors/stored-tensor.js";
import { joinScales } from "../../source/scaled/join-scales.js";
import { updateSettings } from "../../update/settings.js";
import type { EngineInUse } from "../tensor/run.js";
import { openDropped } from "./recognise.js";

/** The files from the browser, in the order to compare them. */
export interface DroppedFiles {
  readonly files: readonly File[];
  /** The storage format for the weights of a recorded run. */
  readonly format: string;
  /** An engine by name, or `auto`. */
  readonly engine: string;
}

/** The result for two files. */
export type Findings = RunFindings | PairFindings;

export interface RunFindings {
  readonly kind: "run";
  readonly files: readonly string[];
  readonly engine: EngineInUse;
  readonly stepNumbers: readonly number[];
  readonly tensors: number;
  readonly elements: number;
  readonly cases: readonly Case[];
  readonly skipped: readonly SkippedTensor[];
}

export interface PairFindings {
  readonly kind: "pair";
  readonly files: readonly string[];
  readonly summary: DifferenceSummary;
  readonly unknown: { readonly hidden: string | null; readonly realSparsity: string | null };
  readonly skipped: readonly SkippedTensor[];
}

/**
 * Analyses two safetensors files: weights and updates of a recorded run, in any order, or two checkpoints, before and
 * after.
 *
 * @throws InputError if they are neither.
 */
export async function lookAt({ files, format, engine }: DroppedFiles): Promise<Findings> {
  if (files.length !== 2) {
    const found = files.length === 1 ? "one file" : `${files.length} files`;
    throw new InputError("what was dropped", "two safetensors files", found);
  }
  const opened: OpenedFile[] = [];
  for (const file of files) {
    const contents = await openDropped(bytesOf(file));
    opened.push({ ...contents, ...joinScales(contents.tensors), path: file.name });
  }
  const updates = opened.filter(isUpdates);
  if (updates.length === 2) throw new InputError(files[1].name, "the weights of the run", "more updates");
  if (updates.length === 0) return lookAtPair(opened[0], opened[1]);
  const weights = opened.find((file) => file !== updates[0])!;
  return lookAtRun(weights, updates[0], format, engine);
}

/**
 * Checks the first of two files before the second is there.
 *
 * @throws InputError if it cannot be one of two.
 */
export async function checkAlone(file: File): Promise<void> {
  await openDropped(bytesOf(file));
}

interface OpenedFile extends Safetensors {
  readonly path: string;
  readonly skipped: readonly SkippedTensor[];
}

/** Whether most tensors are named like recorded updates. */
function isUpdates({ tensors }: OpenedFile): boolean {
  const names = [...tensors.keys()];
  return 2 * names.filter((name) => parseUpdateName(name) !== undefined).length > names.length;
}

function bytesOf(file: File): ByteSource {
  return {
    name: file.name,
    size: file.size,
    async read(position, into) {
      const bytes = new Uint8Array(await file.slice(position, position + into.length).arrayBuffer());
      if (bytes.length < into.length) {
        throw new InputError(file.name, `${into.length} bytes from byte ${position} on`, `${bytes.length}`);
      }
      into.set(bytes);
    },
  };
}

async function lookAtRun(
  weights: OpenedFile,
  updates: OpenedFile,
  format: string,
  engineName: string,
): Promise<RunFindings> {
  const { tensors, stepNumbers, skipped, elements } = bringTogether(weights, updates, false, "update");
  const cases = [
    updateSettings({ format }),
    updateSettings({ format, scheme: "master" }),
    updateSettings({ format, scheme: "kahan" }),
    updateSettings({ format, rounding: "stochastic" }),
    updateSettings({ format: "fp32" }),
  ];
  const job = { tensors, stepNumbers, cases };
  const { engine, selfCheck } = await selectEngine(engineName, job);
  const tallies = await engine.run(job);
  return {
    kind: "run",
    files: [weights.path, updates.path],
    engine: { name: engine.name, device: engine.device, selfCheck },
    stepNumbers,
    tensors: tensors.length,
    elements,
    cases: tallies.map(summarizeCase),
    skipped,
  };
}

/** Elements compared at once. */
const pieceLength = 2 ** 18;

async function lookAtPair(before: OpenedFile, after: OpenedFile): Promise<PairFindings> {
  const pair = pairUp(sideOf(before), sideOf(after), {}, false);
  const counted = [];
  for (const { name, shape, elements, compared, tells, read, ...sides } of pair.tensors) {
    const tally = new DifferenceTally();
    for (let start = 0; start < elements; start += pieceLength) {
      compareNumbers(await read(start, Math.min(pieceLength, elements - start)), compared, tally);
    }
    const formats = {
      before: storedAs(sides.before),
      after: storedAs(sides.after),
      compared: nameOf(compared),
    };
    counted.push({ name, shape, formats, tells, tally });
  }
  return {
    kind: "pair",
    files: [before.path, after.path],
    summary: summarizeDifference(counted),
    unknown: pair.unknown,
    skipped: pair.skipped,
  };
}

function sideOf({ path, tensors, skipped }: OpenedFile): Side {
  const stored = [...tensors].map(([name, tensor]) => [name, sideTensor(tensor)] as const);
  return {
    path,
    kind: "checkpoint",
    weights: path,
    tensors: new Map(stored),
    skipped,
    files: [path],
    close: async () => {},
  };
}
