import type { DifferenceResult } from "../lens/difference/difference-result.js";
import type { Result, ResultEngine } from "../lens/run/result.js";
import type { Spread } from "../lens/spread.js";
import type { SweepResult } from "../lens/study/sweep.js";
import { adapterFacts } from "./adapter-lens.js";
import { caseLabels, stepsInWords } from "./labels.js";
import { count, counted } from "./numbers.js";
import { endOf } from "./shareable.js";

type Fact = readonly [string, string];

/** The input, settings and tool of a run. */
export function runFacts(result: Result): Fact[] {
  const { input, settings, engine, cases } = result;
  const { weights, updates, gradients, metadata, ...rest } = input;
  const { selfCheck } = engine;
  return [
    ["input", input.kind],
    ...named("weights", weights),
    ...named("updates", updates),
    ...named("gradients", gradients),
    ["size", `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}`],
    ["steps", stepsInWords(result)],
    ["stored as", caseLabels(cases).join(", ")],
    ["opmath", [...new Set(cases.map(({ opmath }) => opmath))].join(", ")],
    ...adapterFacts(result),
    ...flat(settings),
    ...flat(without(rest, ["kind", "tensors", "elements", "stepNumbers"])),
    ["engine", `${engine.name}, on ${engine.device}`],
    ["self-check", `${count(selfCheck.passed)} hard cases passed, ${count(selfCheck.failed)} failed`],
    ...Object.entries(metadata).map(([key, value]): Fact => [`file: ${key}`, value]),
  ];
}

/** The input, settings and tool of other results from drawn or recorded numbers. */
export function inputFacts({
  input,
  settings,
  engine,
}: Pick<SweepResult, "input"> & {
  readonly settings: object;
  readonly engine?: ResultEngine;
}): Fact[] {
  const { stepNumbers } = input;
  return [
    ...flat(without(input, ["tensors", "elements", "stepNumbers"])),
    ["size", `${counted(input.elements, "weight")} in ${counted(input.tensors, "tensor")}`],
    ["steps", `${count(stepNumbers.length)}`],
    ...flat(settings),
    ...(engine ? [["engine", `${engine.name}, on ${engine.device}`] as const] : []),
  ];
}

/** The origin of the input, as the end of a line. */
export function originOf({ updates, gradients, synthetic }: SweepResult["input"]): string {
  const from = updates ?? gradients;
  const model = from === null ? synthetic?.model : endOf(from);
  return model ? `; ${model}` : "";
}

export function diffFacts({ input, settings }: DifferenceResult): Fact[] {
  return [
    ["before", sideText(input.before)],
    ["after", sideText(input.after)],
    ["compared in", settings.view ?? "the narrower format of each two tensors"],
    ["strict", settings.strict ? "yes" : "no"],
    ["seed", String(settings.seed)],
  ];
}

function named(name: string, value: string | null): Fact[] {
  return value === null ? [] : [[name, value]];
}

function without(object: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function isSpread(value: unknown): value is Exclude<Spread, number> {
  return typeof value === "object" && value !== null && "least" in value && "most" in value;
}

function scalar(value: unknown): string {
  return isSpread(value) ? `${value.least} to ${value.most}` : String(value);
}

/** The fields of an object as facts; nested fields by both names, without null. */
function flat(object: object, prefix = ""): Fact[] {
  return Object.entries(object).flatMap(([name, value]): Fact[] => {
    const words = prefix + name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
    if (value === null || value === undefined) return [];
    if (typeof value === "boolean") return [[words, value ? "yes" : "no"]];
    if (isSpread(value)) return [[words, scalar(value)]];
    if (Array.isArray(value) && value.every((each) => typeof each !== "object" || isSpread(each)))
      return [[words, value.map(scalar).join(", ")]];
    if (Array.isArray(value)) return [];
    if (typeof value === "object") return flat(value, `${words}: `);
    return [[words, String(value)]];
  });
}

function sideText({ path, kind, within }: DifferenceResult["input"]["before"]): string {
  return `${path} (${kind}${within === undefined ? "" : `, its "${within}"`})`;
}
