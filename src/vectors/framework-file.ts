import { VectorsError } from "./read-text.js";

/** What `recorders/precision_lens_doctor.py` writes: steps of a framework's own optimizer, and its casts. */
export interface FrameworkFile {
  readonly schema: "precision-lens-framework/1";
  readonly framework: string;
  readonly version: string;
  readonly device: string;
  /** Its class. */
  readonly optimizer: string;
  /** What the weights are stored in. */
  readonly format: "bf16" | "fp16" | "fp32";
  readonly shape: readonly number[];
  readonly settings: Readonly<Record<string, unknown>> & {
    readonly lr?: number;
    readonly betas?: readonly number[];
    readonly momentum?: number;
    readonly eps?: unknown;
    readonly weight_decay?: number;
  };
  /** Numbers as codes of fp32 in hexadecimal, separated by spaces: the weights before the first step. */
  readonly start: string;
  readonly steps: readonly FrameworkStep[];
  readonly casts: readonly FrameworkCast[];
}

export interface FrameworkStep {
  readonly t: number;
  readonly g: string;
  readonly p: string;
  /** By the framework's names. */
  readonly states: Readonly<Record<string, { readonly format: string; readonly codes: string }>>;
}

export interface FrameworkCast {
  readonly from: "fp32";
  readonly to: string;
  readonly inputs: string;
  /** Codes of the format. */
  readonly results: string;
}

export const frameworkSchema = "precision-lens-framework/1";

/** Whether a JSON text is such a file, as far as its start tells. */
export function isFrameworkFile(start: string): boolean {
  return start.includes(`"${frameworkSchema}"`);
}

export function codesOf(codes: string): Uint32Array {
  return Uint32Array.from(codes === "" ? [] : codes.split(" "), (code) => Number.parseInt(code, 16));
}

/** @throws VectorsError for a text that is none: what was expected, and what was found. */
export function readFrameworkFile(text: string): FrameworkFile {
  const file = parse(text) as FrameworkFile;
  const { format, shape, steps, casts, settings, start } = file;
  expect("a format bf16, fp16 or fp32", ["bf16", "fp16", "fp32"].includes(format), format);
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  expect("a shape", isShape, shape);
  expect("settings of the optimizer", isObject(settings), settings);
  for (const name of ["lr", "momentum", "weight_decay"]) {
    const value = settings[name];
    expect(`a number as ${name}`, value === undefined || typeof value === "number", value);
  }
  const { betas } = settings;
  const areNumbers = Array.isArray(betas) && betas.every((beta) => typeof beta === "number");
  expect("numbers as betas", betas === undefined || areNumbers, betas);
  expect("steps", Array.isArray(steps) && steps.length > 0, steps);
  expect("casts", Array.isArray(casts), casts);
  const elements = shape.reduce((product, side) => product * side, 1);
  expectCodes("weights before the first step", start, elements);
  for (const [i, step] of steps.entries()) {
    const { t, g, p, states } = step;
    expect(`${i + 1} as the number of step ${i + 1}`, t === i + 1, t);
    expect(`states of step ${t}`, isObject(states), states);
    expectCodes(`gradients of step ${t}`, g, elements);
    expectCodes(`weights of step ${t}`, p, elements);
    for (const [name, state] of Object.entries(states))
      expectCodes(`${name} of step ${t}`, state?.codes, elements);
  }
  for (const cast of casts) {
    expect("a cast from fp32 to a format", isObject(cast) && typeof cast.to === "string", cast);
    expectCodes(`inputs of the cast to ${cast.to}`, cast.inputs);
    expectCodes(`results of the cast to ${cast.to}`, cast.results, codesOf(cast.inputs).length);
  }
  return file;
}

function parse(text: string): unknown {
  try {
    const file: unknown = JSON.parse(text);
    expect(`an object of schema ${frameworkSchema}`, isObject(file) && file.schema === frameworkSchema, file);
    return file;
  } catch (error) {
    if (error instanceof VectorsError) throw error;
    throw new VectorsError(`JSON of schema ${frameworkSchema}`, "text that ends or breaks off elsewhere");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expect(expected: string, holds: boolean, found: unknown): void {
  if (!holds) throw new VectorsError(expected, (JSON.stringify(found) ?? "none").slice(0, 60));
}

function expectCodes(what: string, codes: unknown, count?: number): void {
  const areCodes = typeof codes === "string" && /^([0-9a-f]{1,8}( [0-9a-f]{1,8})*)?$/.test(codes);
  if (!areCodes)
    throw new VectorsError(`${what} as codes in hexadecimal`, JSON.stringify(codes ?? null).slice(0, 60));
  const found = codesOf(codes).length;
  if (count !== undefined && found !== count) throw new VectorsError(`${count} ${what}`, String(found));
}
