import type { Format } from "../format/format.js";
import { plural } from "../format/plural.js";
import { formatOf } from "../format/registry.js";
import { roundSum } from "../format/round.js";
import { unknownName } from "../format/unknown-name.js";
import type { BlockSettings } from "./block-settings.js";
import { adafactorRecipes } from "./recipe/adafactor.js";
import { adamRecipes } from "./recipe/adam.js";
import { adamwRecipes } from "./recipe/adamw.js";
import { lionRecipes, sgdNotImitated, sgdRecipes } from "./recipe/momentum.js";
import { muonRecipes } from "./recipe/muon.js";
import type { OptimizerName, OptimizerSettings, Recipe } from "./recipe/recipe.js";
import { momentNames, RecipeStep, stateNames } from "./recipe/recipe-step.js";
import { elementsOf } from "./recipe/whole.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/** The recipes of each optimizer by name. */
export const recipes: Readonly<Record<OptimizerName, ReadonlyMap<string, Recipe>>> = {
  adamw: byName(adamwRecipes),
  adam: byName(adamRecipes),
  sgd: byName(sgdRecipes),
  lion: byName(lionRecipes),
  muon: byName(muonRecipes),
  adafactor: byName(adafactorRecipes),
};

/** Framework steps that are not imitated, by name, with the reason. */
export const notImitated: Readonly<Record<OptimizerName, ReadonlyMap<string, string>>> = {
  adamw: new Map(),
  adam: new Map(),
  sgd: sgdNotImitated,
  lion: new Map(),
  muon: new Map(),
  adafactor: new Map(),
};

function byName(list: readonly Recipe[]): ReadonlyMap<string, Recipe> {
  return new Map(list.map((recipe) => [recipe.name, recipe]));
}

/** @throws RangeError for an unknown name, and for one of {@link notImitated}, with the reason. */
export function recipe(optimizer: OptimizerName, name: string): Recipe {
  const known = recipes[optimizer];
  const found = known.get(name);
  const refusal = notImitated[optimizer].get(name);
  if (refusal !== undefined) {
    throw new RangeError(`recipe ${name} of ${optimizer} is not imitated: ${refusal}`);
  }
  const others = optimizerNames.filter((other) => recipes[other].has(name)).join(" and ");
  if (!found && others !== "")
    throw new RangeError(`recipe ${name} is of the optimizer ${others}, not of ${optimizer}`);
  if (!found && Object.hasOwn(recipes, name)) {
    const own = [...recipes[name as OptimizerName].keys()].join(", ");
    throw new RangeError(`${name} is an optimizer, and no recipe: its recipes are ${own}`);
  }
  if (!found) {
    const all = optimizerNames.flatMap((each) => [...recipes[each].keys()]);
    throw unknownName("recipe", name, all, { owner: optimizer, expected: [...known.keys()].join(", ") });
  }
  return found;
}

/** A case of a run whose updates an optimizer computes from recorded gradients. */
export interface RecipeSettings extends Omit<UpdateSettings, "recipe"> {
  readonly recipe: Recipe;
  readonly optimizer: OptimizerSettings;
}

/** A case of a run: recorded updates by a scheme, or recorded gradients by a recipe. */
export type CaseSettings = UpdateSettings | BlockSettings | RecipeSettings;

/**
 * The settings of a case that runs a recipe. Scheme, rounding and opmath are those equivalent to the recipe.
 *
 * @param optimizer adamw, adam, sgd, lion, muon or adafactor.
 * @param name one of its recipes.
 * @param options the storage format, the seed of stochastic rounding, and the optimizer's settings.
 * @returns complete settings of a case that applies a recipe to recorded gradients.
 * @throws RangeError for an unknown name, and for invalid optimizer settings.
 * @example recipeSettings("adamw", "master", { format: "bf16", lr: 1e-6 }).scheme; // "master"
 */
export function recipeSettings(
  optimizer: OptimizerName,
  name: string,
  options: OptimizerSettings & Pick<UpdateOptions, "format" | "seed">,
): RecipeSettings {
  const { format, seed = 0, ...settings } = options;
  const chosen = recipe(optimizer, name);
  expectOptimizerSettings(optimizer, settings);
  const stochastic = chosen.weight.some((line) => line.includes("S("));
  return {
    ...updateSettings({
      format: chosen.fp32Storage ? "fp32" : format,
      scheme: chosen.scheme,
      rounding: stochastic ? "stochastic" : "nearest-even",
      seed,
    }),
    recipe: chosen,
    optimizer: settings,
  };
}

/** The first invalid setting by torch's rules, as expected and found; null if all are valid. */
export function refusedSetting(
  optimizer: OptimizerName,
  settings: OptimizerSettings,
): { readonly expected: string; readonly found: string } | null {
  const { lr, betas = [0, 0], eps = 0, weightDecay = 0 } = settings;
  if (!Array.isArray(betas)) return { expected: "betas, an array of two numbers", found: String(betas) };
  const betasOf: readonly (readonly [string, number, number])[] =
    optimizer === "sgd"
      ? [["a momentum (the first beta)", betas[0], Infinity]]
      : betas.map((beta) => ["betas", beta, 1] as const);
  const checks: readonly (readonly [what: string, value: number, below: number])[] = [
    ["a learning rate", lr, Infinity],
    ["an eps", eps, Infinity],
    ["a weight decay", weightDecay, Infinity],
    ...betasOf,
  ];
  const wrong = checks.find(([, value, below]) => !(value >= 0 && value < below));
  if (wrong === undefined) return null;
  const [what, value, below] = wrong;
  return {
    expected: `${what} ${below === 1 ? "from 0 to less than 1" : "of at least 0, finite"}`,
    found: String(value),
  };
}

/**
 * Checks settings.
 *
 * @throws RangeError for a learning rate, eps or weight decay below zero, a beta outside [0, 1) (a momentum
 * of SGD below zero), and for anything that is not a finite number.
 */
export function expectOptimizerSettings(optimizer: OptimizerName, settings: OptimizerSettings): void {
  const wrong = refusedSetting(optimizer, settings);
  if (wrong) throw new RangeError(`expected ${wrong.expected}, found ${wrong.found}`);
}

/** Weights and states of an optimizer after some steps, each of n numbers. */
export interface OptimizerState {
  /** Steps taken. */
  readonly t: number;
  /** The recipe's p, moments and carriers, by name. */
  readonly values: Readonly<Record<string, Float32Array>>;
  /** The tensor's shape, if the recipe needs it. */
  readonly shape?: readonly number[];
}

/** The optimizer's name: `adamw`, ... */
export const optimizerNames = Object.keys(recipes) as readonly OptimizerName[];

/** Why a recipe refuses a tensor of this shape, in a few words, or null. */
export function refusedShape({ whole }: Pick<Recipe, "whole">, shape: readonly number[]): string | null {
  return whole?.refuses?.(shape) ?? null;
}

export interface OptimizerOptions extends OptimizerSettings {
  /** The name of a recipe, such as `torch-2.13-cpu-for-loop`, `fp32`, `master`. */
  readonly recipe: string;
  /** The storage format; default bf16. The recipe `fp32` always stores fp32. */
  readonly format?: Format | string;
  /** Called for 32 random bits at each stochastic rounding; required by recipes that use it. */
  readonly random?: () => number;
}

/** A pure optimizer: takes states, returns states. */
export interface Optimizer {
  readonly recipe: Recipe;
  /**
   * The states before the first step. Weights are cast to the storage format by nearest-even; the shape
   * defaults to a vector.
   */
  init(weights: ArrayLike<number>, shape?: readonly number[]): OptimizerState;
  /** The states after one more step of a whole tensor. @throws RangeError for a gradient of another length. */
  step(state: OptimizerState, gradient: ArrayLike<number>): OptimizerState;
}

/**
 * AdamW by a recipe.
 *
 * @param options the recipe, the storage format, and the settings of the optimizer.
 * @returns a pure optimizer: `init` turns weights into states, `step` takes states and a gradient of n
 * numbers and returns new states.
 * @throws RangeError for unknown names and settings that torch refuses; TypeError without a recipe.
 * @example
 * const optimizer = adamw({ recipe: "torch-2.13-cpu-fused", lr: 0.25, weightDecay: 0.5 });
 * optimizer.step(optimizer.init([1, -1]), [1e-3, 0]).values.p; // Float32Array.of(0.625, -0.875)
 */
export function adamw(options: OptimizerOptions): Optimizer {
  return optimizer("adamw", options);
}

/**
 * Adam by a recipe: weight decay is added to the gradient.
 *
 * @param options the recipe, the storage format, and the settings of the optimizer.
 * @returns a pure optimizer, like {@link adamw}.
 * @throws RangeError for unknown names and settings that torch refuses.
 * @example
 * const optimizer = adam({ recipe: "torch-2.13-cpu-for-loop", lr: 0.25, weightDecay: 0.5 });
 * optimizer.step(optimizer.init([1, -1]), [1e-3, 0]).values.p; // Float32Array.of(0.75, -0.75)
 */
export function adam(options: OptimizerOptions): Optimizer {
  return optimizer("adam", options);
}

/**
 * Muon by a recipe, for a matrix: `init` takes the weights and the shape.
 *
 * @param options the recipe, the storage format, and the settings of the optimizer; `betas[0]` is the momentum.
 * @returns a pure optimizer, like {@link adamw}.
 * @throws RangeError for unknown names and invalid settings; `init` for a tensor that is not a matrix.
 * @example
 * const optimizer = muon({ recipe: "muon", lr: 0.5 });
 * optimizer.step(optimizer.init([1, 0, 0, 1], [2, 2]), [1, 0, 0, 1]).values.p; // Float32Array.of(0.4453125, 0, 0, 0.4453125)
 */
export function muon(options: OptimizerOptions): Optimizer {
  return optimizer("muon", options);
}

/**
 * Adafactor by a recipe; for a matrix, `init` also takes the shape.
 *
 * @param options the recipe, the storage format, and the learning rate and weight decay.
 * @returns a pure optimizer, like {@link adamw}.
 * @throws RangeError for unknown names and invalid settings.
 * @example
 * const optimizer = adafactor({ recipe: "transformers-adafactor", lr: 0.25 });
 * optimizer.step(optimizer.init([1, 1, 1, 1], [2, 2]), [1, -1, 1, 1]).values.p; // Float32Array.of(0.75, 1.25, 0.75, 0.75)
 */
export function adafactor(options: OptimizerOptions): Optimizer {
  return optimizer("adafactor", options);
}

/**
 * SGD with momentum (`betas[0]`) by a recipe.
 *
 * @param options the recipe, the storage format, and the settings of the optimizer.
 * @returns a pure optimizer, like {@link adamw}.
 * @throws RangeError for unknown names, for a recipe that is not imitated, and for settings that torch refuses.
 * @example
 * const optimizer = sgd({ recipe: "fp32", lr: 0.5 });
 * optimizer.step(optimizer.init([1, -1]), [0.5, 0]).values.p; // Float32Array.of(0.75, -1)
 */
export function sgd(options: OptimizerOptions): Optimizer {
  return optimizer("sgd", options);
}

/**
 * Lion by a recipe.
 *
 * @param options the recipe, the storage format, and the settings of the optimizer.
 * @returns a pure optimizer, like {@link adamw}.
 * @throws RangeError for unknown names and invalid settings.
 * @example
 * const optimizer = lion({ recipe: "master", lr: 2 ** -10 });
 * optimizer.step(optimizer.init([1, -1]), [0.5, 0]).values.p; // Float32Array.of(1, -1)
 */
export function lion(options: OptimizerOptions): Optimizer {
  return optimizer("lion", options);
}

function optimizer(name: OptimizerName, options: OptimizerOptions): Optimizer {
  if (typeof options?.recipe !== "string") {
    const found = options ? `one with ${Object.keys(options).join(", ") || "nothing"}` : String(options);
    throw new TypeError(`options: expected an object with the name of a recipe, found ${found}`);
  }
  const { recipe: recipeName, format = "bf16", random, ...settings } = options;
  const chosen = recipe(name, recipeName);
  expectOptimizerSettings(name, settings);
  const storage = formatOf(chosen.fp32Storage ? "fp32" : format);
  const step = new RecipeStep(chosen, settings, storage, random ?? missingRandom);
  const kept = stateNames(chosen);
  return {
    recipe: chosen,
    init(weights: ArrayLike<number>, shape: readonly number[] = [weights.length]): OptimizerState {
      const given = Float32Array.from(weights);
      expectShape(chosen, shape, given.length);
      const p = given.map((x) => roundSum(x, 0, storage, "nearest-even", "ieee", 0));
      const from = { zero: () => new Float32Array(given.length), weight: () => given.slice() };
      const moments = momentNames(chosen.moments).map((moment) => [moment, from.zero()]);
      const carriers = chosen.carriers.map((carrier) => [carrier.name, from[carrier.from]()]);
      const kept = (chosen.kept ?? []).map((state) => [state, from.zero()]);
      const values = Object.fromEntries([["p", p], ...moments, ...carriers, ...kept]);
      return { t: 0, values, ...(chosen.whole && { shape }) };
    },
    step({ t, values, shape }: OptimizerState, gradient: ArrayLike<number>): OptimizerState {
      const { length } = values.p;
      if (gradient.length !== length) {
        throw new RangeError(`expected a gradient of ${plural(length, "number")}, found ${gradient.length}`);
      }
      if (chosen.whole) {
        const columns = Object.fromEntries(kept.map((state) => [state, values[state].slice()]));
        step.begin(t + 1);
        step.applyAll({ ...columns, g: Float32Array.from(gradient) }, shape ?? [length]);
        return { t: t + 1, values: columns, shape: shape ?? [length] };
      }
      const next = Object.fromEntries(kept.map((state) => [state, new Float32Array(length)]));
      const { registers } = step;
      const tail = step.tailFrom(length);
      step.begin(t + 1);
      for (let i = 0; i < length; i++) {
        registers[step.register("g")] = gradient[i];
        for (const state of kept) registers[step.register(state)] = values[state][i];
        step.apply(i >= tail);
        for (const state of kept) next[state][i] = registers[step.register(state)];
      }
      return { t: t + 1, values: next };
    },
  };
}

function missingRandom(): never {
  throw new TypeError("this recipe rounds stochastically and needs `random`, a source of 32 random bits");
}

/** @throws RangeError for a shape with another number of elements, or one that the recipe refuses. */
function expectShape(chosen: Recipe, shape: readonly number[], elements: number): void {
  if (elementsOf(shape) !== elements) {
    throw new RangeError(`expected a shape of ${plural(elements, "number")}, found ${shape.join(" x ")}`);
  }
  const reason = refusedShape(chosen, shape);
  if (reason !== null)
    throw new RangeError(`recipe ${chosen.name} of a tensor ${shape.join(" x ")}: ${reason}`);
}
