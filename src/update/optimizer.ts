import type { Format } from "../format/format.js";
import { format as formatNamed } from "../format/registry.js";
import { roundSum } from "../format/round.js";
import { adamwRecipes } from "./recipe/adamw.js";
import { compile, Names, type Registers } from "./recipe/compile.js";
import { scalarDialect, weightDialect } from "./recipe/dialects.js";
import { lionRecipes, sgdRecipes } from "./recipe/momentum.js";
import type { Moment, OptimizerName, OptimizerSettings, Recipe } from "./recipe/recipe.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/** The recipes of each optimizer by name. */
export const recipes: Readonly<Record<OptimizerName, ReadonlyMap<string, Recipe>>> = {
  adamw: byName(adamwRecipes),
  sgd: byName(sgdRecipes),
  lion: byName(lionRecipes),
};

function byName(of: readonly Recipe[]): ReadonlyMap<string, Recipe> {
  return new Map(of.map((recipe) => [recipe.name, recipe]));
}

/** @throws RangeError for an unknown name. */
export function recipe(optimizer: OptimizerName, name: string): Recipe {
  const known = recipes[optimizer];
  const found = known.get(name);
  if (!found)
    throw new RangeError(
      `unknown recipe "${name}" of ${optimizer}: expected ${[...known.keys()].join(", ")}`,
    );
  return found;
}

export const defaultEps = 1e-8;

/** The betas of the settings, or the published default of the optimizer. */
export function betasOf(optimizer: OptimizerName, { betas }: OptimizerSettings): readonly [number, number] {
  return betas ?? [0.9, optimizer === "lion" ? 0.99 : 0.999];
}

/** The names that hold from step to step: weight, moments, carriers. */
export function stateNames({ moments, carriers }: Recipe): string[] {
  return ["p", ...momentNames(moments), ...carriers.map(({ name }) => name)];
}

function momentNames(moments: readonly Moment[]): string[] {
  return moments.flatMap(({ name, carrier }) => (carrier === undefined ? [name] : [name, carrier]));
}

/** A case of a run whose updates an optimizer computes from recorded gradients. */
export interface RecipeSettings extends UpdateSettings {
  readonly recipe: Recipe;
  readonly optimizer: OptimizerSettings;
}

/** A case of a run: recorded updates by a scheme, or recorded gradients by a recipe. */
export type CaseSettings = UpdateSettings | RecipeSettings;

/**
 * The settings of a recipe's case. Scheme, rounding and opmath are what the recipe amounts to.
 *
 * @throws RangeError for an unknown name.
 */
export function recipeSettings(
  optimizer: OptimizerName,
  name: string,
  { format, seed = 0, ...settings }: OptimizerSettings & Pick<UpdateOptions, "format" | "seed">,
): RecipeSettings {
  const of = recipe(optimizer, name);
  const stochastic = of.weight.some((line) => line.includes("S("));
  return {
    ...updateSettings({
      format: of.fp32Storage ? "fp32" : format,
      scheme: of.scheme,
      rounding: stochastic ? "stochastic" : "nearest-even",
      seed,
    }),
    recipe: of,
    optimizer: settings,
  };
}

/** A recipe made ready for one setting and storage format: one weight at a time, on registers. */
export class RecipeStep {
  readonly registers: Registers;
  readonly recipe: Recipe;
  readonly #names = new Names();
  readonly #scalars: (registers: Registers) => void;
  readonly #weight: (registers: Registers) => void;

  /** @param random 32 random bits for each stochastic rounding in turn. */
  constructor(of: Recipe, settings: OptimizerSettings, format: Format, random: () => number) {
    this.recipe = of;
    const nearest = (x: number) => roundSum(x, 0, format, "nearest-even", "ieee", 0);
    const stochastic = (x: number) => roundSum(x, 0, format, "stochastic", "ieee", random());
    const { lr, eps = defaultEps, weightDecay = 0 } = settings;
    const [b1, b2] = betasOf(of.optimizer, settings);
    const given = { lr, b1, b2, eps, wd: weightDecay, t: 0 };
    for (const name of Object.keys(given)) this.#names.of(name);
    this.#scalars = compile(of.scalars, this.#names, scalarDialect(nearest));
    for (const name of ["g", ...stateNames(of)]) this.#names.of(name);
    const dialect = weightDialect(nearest);
    const calls = { ...dialect.calls, S: (x: number) => stochastic(x) };
    this.#weight = compile(of.weight, this.#names, { ...dialect, calls });
    this.registers = new Float64Array(this.#names.size);
    for (const [name, value] of Object.entries(given)) this.registers[this.register(name)] = value;
  }

  register(name: string): number {
    return this.#names.of(name);
  }

  /** Computes the scalars of step t, counted from 1. */
  begin(t: number): void {
    this.registers[this.register("t")] = t;
    this.#scalars(this.registers);
  }

  /** Takes the weight, gradient and states in the registers through the step. */
  apply(): void {
    this.#weight(this.registers);
  }
}

/** Weights and states of an optimizer after some steps, each of n numbers. */
export interface OptimizerState {
  /** Steps taken. */
  readonly t: number;
  /** p, the moments and the carriers of the recipe, by name. */
  readonly values: Readonly<Record<string, Float32Array>>;
}

export interface OptimizerOptions extends OptimizerSettings {
  /** The name of a recipe, such as `torch-2.13-cpu-for-loop`, `fp32`, `master`. */
  readonly recipe: string;
  /** The storage format; default bf16. */
  readonly format?: Format | string;
  /** 32 random bits for each stochastic rounding in turn; required by recipes that have any. */
  readonly random?: () => number;
}

/** A pure optimizer: states in, states out. */
export interface Optimizer {
  readonly recipe: Recipe;
  /** The states before the first step. Weights are numbers, cast to the storage format by nearest-even. */
  init(weights: ArrayLike<number>): OptimizerState;
  /** The states after one more step. @throws RangeError for a gradient of another length. */
  step(state: OptimizerState, gradient: ArrayLike<number>): OptimizerState;
}

/** AdamW by a recipe. @throws RangeError for unknown names. */
export function adamw(options: OptimizerOptions): Optimizer {
  return optimizer("adamw", options);
}

/** SGD with momentum (`betas[0]`) by a recipe. @throws RangeError for unknown names. */
export function sgd(options: OptimizerOptions): Optimizer {
  return optimizer("sgd", options);
}

/** Lion by a recipe. @throws RangeError for unknown names. */
export function lion(options: OptimizerOptions): Optimizer {
  return optimizer("lion", options);
}

function optimizer(
  name: OptimizerName,
  { recipe: recipeName, format = "bf16", random, ...settings }: OptimizerOptions,
) {
  const of = recipe(name, recipeName);
  const storage = typeof format === "string" ? formatNamed(format) : format;
  const step = new RecipeStep(of, settings, storage, random ?? missingRandom);
  const kept = stateNames(of);
  return {
    recipe: of,
    init(weights: ArrayLike<number>): OptimizerState {
      const given = Float32Array.from(weights);
      const p = given.map((x) => roundSum(x, 0, storage, "nearest-even", "ieee", 0));
      const from = { zero: () => new Float32Array(given.length), weight: () => given.slice() };
      const moments = momentNames(of.moments).map((moment) => [moment, from.zero()]);
      const carriers = of.carriers.map((carrier) => [carrier.name, from[carrier.from]()]);
      return { t: 0, values: Object.fromEntries([["p", p], ...moments, ...carriers]) };
    },
    step({ t, values }: OptimizerState, gradient: ArrayLike<number>): OptimizerState {
      const { length } = values.p;
      if (gradient.length !== length) {
        throw new RangeError(`expected a gradient of ${length} numbers, found ${gradient.length}`);
      }
      const next = Object.fromEntries(kept.map((state) => [state, new Float32Array(length)]));
      const { registers } = step;
      step.begin(t + 1);
      for (let i = 0; i < length; i++) {
        registers[step.register("g")] = gradient[i];
        for (const state of kept) registers[step.register(state)] = values[state][i];
        step.apply();
        for (const state of kept) next[state][i] = registers[step.register(state)];
      }
      return { t: t + 1, values: next };
    },
  };
}

function missingRandom(): never {
  throw new TypeError("this recipe rounds stochastically and needs `random`, a source of 32 random bits");
}
