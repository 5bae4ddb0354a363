import type { Format } from "../../format/format.js";
import { roundSum } from "../../format/round.js";
import { compile, Names, type Registers } from "./compile.js";
import { scalarDialect, weightDialect } from "./dialects.js";
import type { Moment, OptimizerName, OptimizerSettings, Recipe } from "./recipe.js";
import type { Columns } from "./whole.js";

export const defaultEps = 1e-8;

/** The betas of the settings, or the published default of the optimizer. */
export function betasOf(optimizer: OptimizerName, { betas }: OptimizerSettings): readonly [number, number] {
  return betas ?? [optimizer === "muon" ? 0.95 : 0.9, optimizer === "lion" ? 0.99 : 0.999];
}

/** What a recorded moment, kept as torch does, is divided by to be kept as a recipe does, after t steps; 1 for most. */
export function momentCorrection(
  { optimizer, correctedMoments }: Recipe,
  { of: moment }: Pick<Moment, "of">,
  settings: OptimizerSettings,
  t: number,
): number {
  return correctedMoments && t > 0 ? 1 - betasOf(optimizer, settings)[moment === "M" ? 0 : 1] ** t : 1;
}

/** The names that hold from step to step: weight, moments, carriers, and what else a step of a whole tensor keeps. */
export function stateNames({ moments, carriers, kept = [] }: Recipe): string[] {
  return ["p", ...momentNames(moments), ...carriers.map(({ name }) => name), ...kept];
}

/** The names of the moments and of their second terms. */
export function momentNames(moments: readonly Moment[]): string[] {
  return moments.flatMap(({ name, carrier }) => (carrier === undefined ? [name] : [name, carrier]));
}

/** A recipe made ready for one setting and storage format: one weight at a time, on registers. */
export class RecipeStep {
  readonly registers: Registers;
  readonly recipe: Recipe;
  readonly #format: Format;
  #settings: OptimizerSettings;
  readonly #names = new Names();
  readonly #scalars: (registers: Registers) => void;
  readonly #weight: (registers: Registers) => void;
  readonly #tail: (registers: Registers) => void;
  readonly #after: (registers: Registers) => void;
  readonly #store: (x: number) => number;

  /** @param random 32 random bits for each stochastic rounding in turn. */
  constructor(recipe: Recipe, settings: OptimizerSettings, format: Format, random: () => number) {
    this.recipe = recipe;
    this.#format = format;
    this.#settings = settings;
    const nearest = (x: number) => roundSum(x, 0, format, "nearest-even", "ieee", 0);
    const away = (x: number) => roundSum(x, 0, format, "nearest-away", "ieee", 0);
    const stochastic = (x: number) => roundSum(x, 0, format, "stochastic", "ieee", random());
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

  /** Takes other settings, from the next {@link begin} on. */
  configure(settings: OptimizerSettings): void {
    this.#settings = settings;
    for (const [name, value] of Object.entries(this.#scalarsOf(settings))) {
      this.registers[this.register(name)] = value;
    }
  }

  /**
   * The states of a moment that starts from a recorded number, as torch keeps it, after t steps: of the moment itself and of
   * its second term, if it has one.
   */
  startMoment(moment: Moment, recorded: number, t: number): [moment: number, carrier: number] {
    const { name, of: role, carrier } = moment;
    const correction = momentCorrection(this.recipe, moment, this.#settings, t);
    const value = correction === 1 ? recorded : Math.fround(recorded / correction);
    if (name === role) return [value, 0];
    const stored = roundSum(value, 0, this.#format, "nearest-even", "ieee", 0);
    return [
      stored,
      carrier === undefined ? 0 : roundSum(value - stored, 0, this.#format, "nearest-even", "ieee", 0),
    ];
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

  /**
   * Takes all weights of a tensor through the step, one that needs them together too.
   *
   * @param columns `g`, the states, and what else the lines read, of each weight; they are changed to what the step makes of
   *   them. Names that are wanted beside the states, such as the update, have a column as well.
   */
  applyAll(columns: Columns, shape: readonly number[]): void {
    const { whole } = this.recipe;
    const between = whole ? [...whole.reads, ...whole.writes] : [];
    const all: Record<string, Float32Array> = { ...columns };
    for (const name of between) all[name] ??= new Float32Array(columns.g.length);
    const named = Object.entries(all).map(([name, numbers]) => [this.register(name), numbers] as const);
    this.#forAll(named, this.#weight);
    if (!whole) return;
    whole.run(all, {
      shape,
      scalar: (name) => this.registers[this.register(name)],
      store: this.#store,
    });
    this.#forAll(named, this.#after);
  }

  #forAll(columns: readonly (readonly [number, Float32Array])[], take: (registers: Registers) => void): void {
    const { registers } = this;
    const length = columns[0]?.[1].length ?? 0;
    for (let i = 0; i < length; i++) {
      for (const [register, column] of columns) registers[register] = column[i];
      take(registers);
      for (const [register, column] of columns) column[i] = registers[register];
    }
  }
}
