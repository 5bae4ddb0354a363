import { readFile } from "node:fs/promises";
import { printable } from "../../lens/printable.js";
import { InputError, quote } from "../input-error.js";
import { statFile, systemError } from "../system-error.js";

/** The parts of PEFT's `adapter_config.json` that matter for merging a LoRA adapter. */
export interface AdapterConfig {
  readonly rank: number;
  readonly alpha: number;
  /** The scale is alpha over the root of the rank (rsLoRA), not over the rank. */
  readonly rsLora: boolean;
  /** Modules with their own rank or alpha, by name patterns; the first match wins. */
  readonly rankPattern: readonly Pattern[];
  readonly alphaPattern: readonly Pattern[];
  /** Weights are stored transposed, input by output (GPT-2's Conv1D). */
  readonly fanInFanOut: boolean;
}

export interface Pattern {
  readonly matches: (module: string) => boolean;
  readonly value: number;
}

const whatIsMerged = "a LoRA adapter whose change is scale * B A";
const longest = 2 ** 20;

/** Settings that, unless false, null or empty, make an adapter more than scale * B A. */
const refused: readonly (readonly [string, string])[] = [
  ["use_dora", "DoRA, whose magnitudes scale the merged weight"],
  ["use_qalora", "QA-LoRA, which pools its input"],
  ["use_bdlora", "BD-LoRA, whose factors are block-diagonal"],
  ["lora_bias", "one with biases in lora_B"],
  ["alora_invocation_tokens", "an activated LoRA, which cannot be merged"],
  ["arrow_config", "Arrow, a router over adapters"],
  ["kasa_config", "KaSA, which has singular values between its factors"],
  ["monteclora_config", "MonteCLoRA, which samples its factors"],
  ["mica", "MiCA"],
  ["layer_replication", "one that replicates layers of its base"],
  ["target_parameters", "one with factors of parameters (target_parameters)"],
  ["trainable_token_indices", "one with trained tokens (trainable_token_indices)"],
];

/** Initialisations that change the base: B A refers to the residual base until PEFT converts the adapter. */
const changesBase = /^(pissa|olora|corda|loftq|lora_ga)/;

/** @throws InputError if the file cannot be read, or if the adapter is not of the form scale * B A. */
export async function readAdapterConfig(path: string): Promise<AdapterConfig> {
  const { size } = await statFile(path);
  if (size > longest)
    throw new InputError(path, `a configuration of at most ${longest} bytes`, `${size} bytes`);
  const text = await readFile(path, "utf8").catch((error) => {
    throw systemError(path, "a file that can be read", error);
  });
  return parseAdapterConfig(text, path);
}

/** @throws InputError, which names the file `name`. */
export function parseAdapterConfig(text: string, name: string): AdapterConfig {
  const config = parsed(text, name);
  const { peft_type: type = "LORA", init_lora_weights: init, bias = "none" } = config;
  const refuse = (found: string) => {
    throw new InputError(name, whatIsMerged, found);
  };
  if (type !== "LORA") refuse(`one of type ${quote(String(type))}`);
  for (const [setting, what] of refused) if (isSet(config[setting])) refuse(what);
  const unknown = Object.keys(config).find(
    (key) => key.startsWith("use_") && key !== "use_rslora" && isSet(config[key]),
  );
  if (unknown !== undefined) refuse(`one with ${quote(unknown)}, which is not known here`);
  if (bias !== "none") refuse(`one with trained biases (bias ${quote(String(bias))})`);
  if (typeof init === "string" && changesBase.test(init)) {
    refuse(
      `one of init_lora_weights ${quote(init)}, which changes the base: PEFT converts it to LoRA ` +
        "(save_pretrained, path_initial_model_for_weight_conversion)",
    );
  }
  const { use_rslora: rsLora = false, fan_in_fan_out: fanInFanOut = false } = config;
  return {
    rank: positive(config, "r", name, true),
    alpha: positive(config, "lora_alpha", name),
    rsLora: rsLora === true,
    rankPattern: patterns(config, "rank_pattern", name, true),
    alphaPattern: patterns(config, "alpha_pattern", name),
    fanInFanOut: fanInFanOut === true,
  };
}

/** The rank of a module and the scale of its product, in fp64 as in PEFT. */
export function scaleOf(
  { rank, alpha, rsLora, rankPattern, alphaPattern }: AdapterConfig,
  module: string,
): { rank: number; scale: number } {
  const own = (all: readonly Pattern[]) => all.find(({ matches }) => matches(module))?.value;
  const r = own(rankPattern) ?? rank;
  return { rank: r, scale: (own(alphaPattern) ?? alpha) / (rsLora ? Math.sqrt(r) : r) };
}

function parsed(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(name, "the JSON of an adapter's configuration", "no valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(name, "the JSON of an adapter's configuration", "no object");
  }
  return value as Record<string, unknown>;
}

/** PEFT writes defaults too: false, null, and empty lists and objects. */
function isSet(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false;
}

function positive(config: Record<string, unknown>, key: string, name: string, whole = false): number {
  return positiveNumber(config[key], key, name, whole);
}

function positiveNumber(value: unknown, key: string, name: string, whole: boolean): number {
  const fits = typeof value === "number" && value > 0 && Number.isFinite(value);
  if (fits && (!whole || Number.isSafeInteger(value))) return value;
  const found = value === undefined ? "none" : printable(JSON.stringify(value), 60);
  throw new InputError(name, `${key}, a ${whole ? "whole number of at least 1" : "positive number"}`, found);
}

function patterns(config: Record<string, unknown>, key: string, name: string, whole = false): Pattern[] {
  const value = config[key] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new InputError(name, `${key}, an object`, printable(JSON.stringify(value), 60));
  }
  return Object.entries(value!).map(([pattern, number]) => ({
    matches: matcherOf(pattern, key, name),
    value: positiveNumber(number, `${key} of ${quote(pattern)}`, name, whole),
  }));
}

const longestPattern = 200;

/**
 * PEFT's `re.match(rf"(.*\.)?({pattern})$", module)`. Nested repetition is rejected, because a hostile pattern could
 * take exponential time.
 */
function matcherOf(pattern: string, key: string, name: string): Pattern["matches"] {
  const refuse = () => new InputError(name, `patterns of module names in ${key}`, quote(pattern));
  if (pattern.length > longestPattern || /[+*}?][^)]*\)\s*[+*{]/.test(pattern)) throw refuse();
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:.*\\.)?(?:${pattern})$`);
  } catch {
    throw refuse();
  }
  return (module) => expression.test(module);
}
