import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError, quote } from "./input-error.js";
import { systemError } from "./system-error.js";

/** The files of a folder that are the model. */
export interface Choice {
  /** One file or index, or all shards of a numbering. */
  readonly files: readonly string[];
  /** Other files there, as a sentence without a full stop; null if none. */
  readonly note: string | null;
}

export const whatIsRead = "a file of safetensors or torch.save, its index, or a folder with one of them";

/** The names that transformers looks for first. */
const single = "model.safetensors";
const preferred = ["model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/** The kinds of files that can represent a folder, in order of preference. */
const kinds: readonly RegExp[] = [
  /\.safetensors\.index\.json$/,
  /\.safetensors$/,
  /\.bin\.index\.json$/,
  /^pytorch_model.*\.(?:bin|pt|pth)$/,
  // Not the other files that trainers write.
  /^(?!training_args|optimizer|scheduler|scaler|rng_state|random_states).*\.(?:pt|pth|bin)$/,
];

const numbered = /^(.*?)-?(\d+)-of-(\d+)\.(safetensors|bin)$/;

/**
 * The files of a folder that are one model.
 *
 * @throws InputError if there is none, if there are several and none has a standard name, or if a shard is missing.
 */
export function modelIn(folder: string, names: readonly string[]): Choice {
  if (names.includes(single)) {
    const others = names.filter(
      (name) => name !== single && kinds.slice(0, 2).some((kind) => kind.test(name)),
    );
    return { files: [join(folder, single)], note: taken(single, others) };
  }
  for (const kind of kinds) {
    const found = names.filter((name) => kind.test(name));
    if (found.length === 0) continue;
    const candidates = candidatesOf(folder, found);
    const usual = candidates.find(({ name }) => preferred.includes(name));
    const ofModel = candidates.find(({ name, files }) => files.length > 1 && name.startsWith("model-"));
    const chosen = candidates.length === 1 ? candidates[0] : (usual ?? ofModel);
    if (chosen === undefined) throw several(folder, candidates);
    if (chosen.missing !== null) {
      throw new InputError(folder, `all shards of ${quote(chosen.name)}`, chosen.missing);
    }
    const others = candidates.filter((candidate) => candidate !== chosen).map(({ name }) => name);
    return { files: chosen.files.map((name) => join(folder, name)), note: taken(chosen.name, others) };
  }
  throw new InputError(folder, whatIsRead, "a folder with neither");
}

/** A file, or the shards of a numbering under the name of the first. */
interface Candidate {
  readonly name: string;
  readonly files: readonly string[];
  /** The missing numbers, in words. */
  readonly missing: string | null;
}

/** Numbered shards form one candidate; `model.safetensors` and indexes precede them. */
function candidatesOf(folder: string, found: readonly string[]): Candidate[] {
  const sets = new Map<string, Map<number, string>>();
  const alone: Candidate[] = [];
  for (const name of found) {
    const match = numbered.exec(name);
    if (match === null) {
      alone.push({ name, files: [name], missing: null });
      continue;
    }
    const key = `${match[1]} of ${Number(match[3])}`;
    const set = sets.get(key) ?? new Map<number, string>();
    const number = Number(match[2]);
    if (set.has(number)) {
      throw new InputError(
        folder,
        `one shard ${number} of ${Number(match[3])}`,
        `${quote(set.get(number)!)} and ${quote(name)}`,
      );
    }
    sets.set(key, set.set(number, name));
  }
  const inSets = [...sets].map(([key, set]): Candidate => {
    const inOrder = [...set].sort(([a], [b]) => a - b);
    const files = inOrder.map(([, name]) => name);
    return {
      name: files[0],
      files,
      missing: missingOf(new Set(set.keys()), Number(key.split(" of ").at(-1))),
    };
  });
  return [...alone, ...inSets];
}

/** Shards are numbered from 1 or from 0. */
function missingOf(present: ReadonlySet<number>, total: number): string | null {
  const first = present.has(0) ? 0 : 1;
  const absent = Array.from({ length: total }, (_, i) => first + i).filter((number) => !present.has(number));
  if (absent.length === 0) return null;
  const which = `number${absent.length === 1 ? "" : "s"} ${listed(absent.map(String))} of ${total}`;
  return `${present.size} of ${total} shards: ${which} ${absent.length === 1 ? "is" : "are"} missing`;
}

function several(folder: string, candidates: readonly Candidate[]): InputError {
  const names = candidates.map(({ name }) => name).sort();
  const first = names.slice(0, 3).map(quote).join(", ");
  const more = names.length > 3 ? ", …" : "";
  return new InputError(folder, whatIsRead, `${names.length} to choose from: ${first}${more}`);
}

function taken(name: string, others: readonly string[]): string | null {
  return others.length === 0 ? null : `${quote(name)} was taken, not ${listed(others.map(quote))}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/**
 * The main snapshot in a model's folder of a Hugging Face hub cache; null for any other folder.
 *
 * @throws InputError if it has snapshots, but no reference to the main one.
 */
export async function mainSnapshot(folder: string, names: readonly string[]): Promise<string | null> {
  if (!names.includes("snapshots") || !names.includes("blobs")) return null;
  const ref = join(folder, "refs", "main");
  const text = await readFile(ref, "utf8").catch((error) => {
    throw systemError(ref, "the name of a snapshot, or give one of snapshots/", error);
  });
  const commit = text.trim();
  if (/^[\w.-]{1,80}$/.test(commit) && !/^\.+$/.test(commit)) return join(folder, "snapshots", commit);
  throw new InputError(ref, "the name of a snapshot", quote(commit));
}
