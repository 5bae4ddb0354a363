import type { OptimizerName } from "../update/recipe/recipe.js";
import { InputError, quote } from "./input-error.js";

/** Settings of an optimizer at one step, as far as they are known. */
export interface StepSettings {
  readonly lr?: number;
  /** The first is SGD's momentum. */
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
}

/** A recording file's optimizer metadata; every field is optional. */
export interface RecordedOptimizer {
  /** The name in the recording, and the optimizer that it denotes here. */
  readonly name: string | null;
  readonly known: OptimizerName | null;
  /** An equivalent optimizer: Adam without weight decay is AdamW too. */
  readonly also: OptimizerName | null;
  /** Whether its states were empty before the first recorded step. */
  readonly isFresh: boolean | null;
  /** The settings of a tensor at the step of the file. */
  settings(tensor: string): StepSettings;
  /** A setting of a tensor that no recipe implements, in a few words, or null. */
  beyondRecipes(tensor: string): string | null;
}

/**
 * Reads the optimizer from the metadata of a file, in one of two dialects: `lr betas eps weight_decay` for all tensors,
 * or the recorder's `groups` and `parameters_by_group` with torch's names of the settings.
 *
 * @throws InputError, which names the file, for invalid values.
 */
export function recordedOptimizer(metadata: ReadonlyMap<string, string>, file: string): RecordedOptimizer {
  const name = metadata.get("optimizer") ?? null;
  const state = metadata.get("optimizer_state_at_start");
  const groups = parsed(metadata, "groups", file);
  const all = groups === undefined ? [fieldsOf(metadata)] : Array.isArray(groups) ? groups : [];
  const known = name === null ? null : knownName(name, all as readonly Group[]);
  const about = {
    name,
    known,
    also: known === "adamw" && /(^|\.)adam$/i.test(name ?? "") ? ("adam" as const) : null,
    isFresh: state === undefined ? null : state === "empty",
  };
  if (groups === undefined) {
    const settings = settingsFor(fieldsOf(metadata), file);
    return { ...about, settings: () => settings, beyondRecipes: () => null };
  }
  const groupOf = groupFinder(groups, parsed(metadata, "parameters_by_group", file), file);
  const settings = (tensor: string) => settingsFor(groupOf(tensor), file);
  return {
    ...about,
    settings,
    beyondRecipes: (tensor) => beyondRecipes(about.known, groupOf(tensor)),
  };
}

type Group = Readonly<Record<string, unknown>>;

/** By class name, including AdamW of other frameworks. */
const ours: ReadonlyMap<string, OptimizerName> = new Map([
  ["adamw", "adamw"],
  ["adamw8bit", "adamw"],
  ["anyprecisionadamw", "adamw"],
  ["fusedadam", "adamw"],
  ["sgd", "sgd"],
  ["lion", "lion"],
  ["muon", "muon"],
]);

/** The last part of `torch.optim.adamw.AdamW`. Adam without decay, or with decoupled decay, is AdamW. */
function knownName(name: string, groups: readonly Group[]): OptimizerName | null {
  const last = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  if (last === "adam") {
    const decays = groups.some(
      (group) => Number(group.weight_decay ?? 0) !== 0 && !group.decoupled_weight_decay,
    );
    return decays ? "adam" : "adamw";
  }
  // The Adafactor of torch is a different algorithm.
  if (last === "adafactor" && name.includes("transformers")) return "adafactor";
  return ours.get(last) ?? null;
}

function beyondRecipes(known: OptimizerName | null, group: Group): string | null {
  const options = ["amsgrad", "maximize", "dampening", "scale_parameter", "relative_step", "beta1"];
  // Only the recipes of Muon implement nesterov.
  const nesterov = group.nesterov !== undefined && group.nesterov !== (known === "muon");
  return (nesterov ? "nesterov" : options.find((each) => group[each])) ?? null;
}

function parsed(metadata: ReadonlyMap<string, string>, key: string, file: string): unknown {
  const text = metadata.get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(file, `JSON in the metadata ${quote(key)}`, quote(text));
  }
}

function groupFinder(groups: unknown, names: unknown, file: string): (tensor: string) => Group {
  const isList = (value: unknown): value is unknown[] => Array.isArray(value);
  if (
    !isList(groups) ||
    !groups.every((group) => typeof group === "object" && group !== null && !isList(group))
  ) {
    throw new InputError(file, 'objects in the metadata "groups"', "something else");
  }
  if (names !== undefined && !(isList(names) && names.length === groups.length && names.every(isList))) {
    throw new InputError(
      file,
      'names for each of the groups in the metadata "parameters_by_group"',
      "something else",
    );
  }
  const groupOf = new Map<unknown, Group>();
  for (const [i, group] of groups.entries())
    for (const name of names?.[i] ?? []) groupOf.set(name, group as Group);
  return (tensor) => {
    const group = groupOf.get(tensor) ?? (groups.length === 1 ? (groups[0] as Group) : undefined);
    if (group) return group;
    throw new InputError(file, `the parameter group of ${quote(tensor)}`, "none that names it");
  };
}

/** The fields of the dialect without groups, converted to a group. */
function fieldsOf(metadata: ReadonlyMap<string, string>): Group {
  const fields = ["lr", "betas", "eps", "weight_decay", "momentum"].flatMap((key) => {
    const text = metadata.get(key);
    if (text === undefined) return [];
    return [[key, key === "betas" ? text.split(",").map(numberIn) : numberIn(text)] as const];
  });
  return Object.fromEntries(fields);
}

function numberIn(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

function settingsFor(group: Group, file: string): StepSettings {
  const { lr, betas, eps, weight_decay: weightDecay, momentum } = group;
  const read = (name: string, value: unknown): number => {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new InputError(file, `a number as the recorded ${name}`, quote(String(value)));
  };
  const two = (value: unknown): [number, number] => {
    if (Array.isArray(value) && value.length === 2) return [read("betas", value[0]), read("betas", value[1])];
    throw new InputError(file, "two numbers as the recorded betas", quote(String(value)));
  };
  return {
    ...(lr !== undefined && { lr: read("lr", lr) }),
    ...(betas !== undefined && { betas: two(betas) }),
    // SGD only reads the first one.
    ...(betas === undefined && momentum !== undefined && { betas: [read("momentum", momentum), 0.999] }),
    // Adafactor has two eps, neither of which is added to the denominator.
    ...(eps !== undefined && !Array.isArray(eps) && { eps: read("eps", eps) }),
    ...(weightDecay !== undefined && { weightDecay: read("weight_decay", weightDecay) }),
  };
}
