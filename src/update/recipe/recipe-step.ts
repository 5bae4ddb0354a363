import type { Format } from "../../format/format.js";
import { roundSum } from "../../format/round.js";
import { compile, Names, type Registers } from "./compile.js";
import { scalarDialect, weightDialect } from "./dialects.js";
import type { Moment, OptimizerName, OptimizerSettings, Recipe } from "./recipe.js";

export const defaultEps = 1e-8;

/** The betas of the settings, or the published default of the optimizer. */
export function betasOf(optimizer: OptimizerName, { betas }: OptimizerSettings): readonly [number, number] {
  return betas ?? [0.9, optimizer === "lion" ? 0.99 : 0.999];
}

/** The names that hold from step to step: weight, moments, carriers. */
export function stateNames({ moments, carriers }: Recipe): string[] {
  return ["p", ...momentNames(moments), ...carriers.map(({ name }) => name)];
}

/** The names of the moments and of their second terms. */
export function momentNames(moments: readonly Moment[]): string[] {
  return moments.flatMap(({ name, carrier }) => (carrier === undefined ? [name] : [name, carrier]));
}

/** A recipe made ready for one setting and storage format: one weight at a time, on registers. */
export class RecipeStep {
  readonly registers: Registers;
  readonly recipe: Recipe;
  readonly #names = new Names();
  readonly #scalars: (registers: Registers) => void;
  readonly #weight: (registers: Registers) => void;
  readonly #tail: (registers: Registers) => void;

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
    this.#tail = of.tail ? compile(of.tail.weight, this.#names, { ...dialect, calls }) : this.#weight;
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

  /** The first element of the recipe's tail in a tensor of so many elements; where it has none, their number. */
  tailFrom(elements: number): number {
    return elements - (elements % (this.recipe.tail?.block ?? 1));
  }

  /** Takes the weight, gradient and states in the registers through the step. */
  apply(inTail = false): void {
    (inTail ? this.#tail : this.#weight)(this.registers);
  }
}
