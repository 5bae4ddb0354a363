import type { Format } from "../../format/format.js";
import { type Rounding, roundSum } from "../../format/round.js";
import { compile, Names, type Registers } from "./compile.js";
import { scalarDialect, weightDialect } from "./dialects.js";
import type { Moment, OptimizerName, OptimizerSettings, Recipe } from "./recipe.js";
import type { Columns } from "./whole.js";

export const defaultEps = 1e-8;

/** The betas of the settings, or the published default of the optimizer. */
export function betasOf(optimizer: OptimizerName, { betas }: OptimizerSettings): readonly [number, number] {
  return betas ?? [optimizer === "muon" ? 0.95 : 0.9, optimizer === "lion" ? 0.99 : 0.999];
}

/** The divisor that converts a moment in torch's convention to the recipe's, after t steps; 1 for most. */
export function momentCorrection(
  { optimizer, correctedMoments }: Recipe,
  { of: moment }: Pick<Moment, "of">,
  settings: OptimizerSettings,
  t: number,
): number {
  return correctedMoments && t > 0 ? 1 - betasOf(optimizer, settings)[moment === "M" ? 0 : 1] ** t : 1;
}

/** The names that persist between steps: weight, moments, carriers, and other whole-tensor states. */
export function stateNames({ moments, carriers, kept = [] }: Recipe): string[] {
  return ["p", ...momentNames(moments), ...carriers.map(({ name }) => name), ...kept];
}

/** The names of the moments and of their second terms. */
export function momentNames(moments: readonly Moment[]): string[] {
  return moments.flatMap(({ name, carrier }) => (carrier === undefined ? [name] : [name, carrier]));
}

/** A recipe compiled for one setting and storage format: one weight at a time, on registers. */
export class RecipeStep {
  readonly registers: Registers;
  readonly recipe: Recipe;
  #settings: OptimizerSettings;
  readonly #names = new Names();
  readonly #scalars: (registers: Registers) => void;
  readonly #weight: (registers: Registers) => void;
  readonly #tail: (registers: Registers) => void;
  readonly #after: (registers: Registers) => void;
  readonly #store: (x: number) => number;

  /** @param random called for 32 random bits at each stochastic rounding. */
  constructor(recipe: Recipe, settings: OptimizerSettings, format: Format, random: () => number) {
    this.recipe = recipe;
    this.#settings = settings;
    const rounded = (x: number, rounding: Rounding, bits = 0) =>
      roundSum(x, 0, format, rounding, "ieee", bits);
    const nearest = (x: number) => rounded(x, "nearest-even");
    const away = (x: number) => rounded(x, "nearest-away");
    const stochastic = (x: number) => rounded(x, "stochastic", random());
    const given = { ...this.#scalarsOf(settings), t: 0 };
    for (const name of Object.keys(given)) this.#names.of(name);
    this.#scalars = compile(recipe.scalars, this.#names, scalarDialect(nearest));
    for (const name of ["g", ...stateNames(recipe)]) this.#names.of(name);
    const dialect = weightDialect(nearest);
    const calls = { ...dialect.calls, S: (x: number) => stochastic(x), A: away };
    this.#weight = compile(recipe.weight, this.#names, { ...dialect, calls });
    this.#tail = recipe.tail ? compile(recipe.tail.weight, this.#names, { ...dialect, calls }) : this.#weight;
    for (const name of recipe.whole?.writes ?? []) this.#names.of(name);
    this.#after = compile(recipe.after ?? [], this.#names, { ...dialect, calls });
    this.#store = nearest;
    this.registers = new Float64Array(this.#names.size);
    this.configure(settings);
  }

  #scalarsOf(settings: OptimizerSettings): Readonly<Record<string, number>> {
    const { lr, eps = defaultEps, weightDecay = 0 } = settings;
    const [b1, b2] = betasOf(this.recipe.optimizer, settings);
    return { lr, b1, b2, eps, wd: weightDecay };
  }

  /** Changes the settings, effective from the next {@link begin}. */
  configure(settings: OptimizerSettings): void {
    this.#settings = settings;
    for (const [name, value] of Object.entries(this.#scalarsOf(settings))) {
      this.registers[this.register(name)] = value;
    }
  }

  /**
   * The initial states of a moment from a recorded fp32 number in torch's convention after t steps: the moment and
   * its second term, if any.
   */
  startMoment(moment: Moment, recorded: number, t: number): [moment: number, carrier: number] {
    const { name, of: role, carrier } = moment;
    const value = Math.fround(recorded / momentCorrection(this.recipe, moment, this.#settings, t));
    if (name === role) return [value, 0];
    const stored = this.#store(value);
    return [stored, carrier === undefined ? 0 : this.#store(value - stored)];
  }

  register(name: string): number {
    return this.#names.of(name);
  }

  /** Computes the scalars of step t, counted from 1. */
  begin(t: number): void {
    this.registers[this.register("t")] = t;
    this.#scalars(this.registers);
  }

  /** The first element of the recipe's tail in a tensor of so many elements; their number without a tail. */
  tailFrom(elements: number): number {
    return elements - (elements % (this.recipe.tail?.block ?? 1));
  }

  /** Applies the step to the weight, gradient and states in the registers. */
  apply(inTail = false): void {
    (inTail ? this.#tail : this.#weight)(this.registers);
  }

  /**
   * Applies the step to all weights of a tensor, including whole-tensor steps.
   *
   * @param columns `g`, the states, and whatever else the lines read, for each weight; updated in place.
   * Other requested names, such as the update, have a column too.
   */
  applyAll(columns: Columns, shape: readonly number[]): void {
    const { whole } = this.recipe;
    const between = whole ? [...whole.reads, ...whole.writes] : [];
    const all: Record<string, Float32Array> = { ...columns };
    const { length } = columns.g;
    for (const name of between) all[name] ??= new Float32Array(length);
    const named = Object.entries(all).map(([name, numbers]) => [this.register(name), numbers] as const);
    this.#forAll(named, length, this.#weight);
    if (!whole) return;
    whole.run(all, {
      shape,
      scalar: (name) => this.registers[this.register(name)],
      store: this.#store,
    });
    this.#forAll(named, length, this.#after);
  }

  #forAll(
    columns: readonly (readonly [number, Float32Array])[],
    length: number,
    take: (registers: Registers) => void,
  ): void {
    const { registers } = this;
    for (let i = 0; i < length; i++) {
      for (const [register, column] of columns) registers[register] = column[i];
      take(registers);
      for (const [register, column] of columns) column[i] = registers[register];
    }
  }
}
