import { format } from "../../format/registry.js";
import { roundSum } from "../../format/round.js";
import type { Class } from "../../lens/classify.js";
import { classify } from "../../lens/classify.js";
import { type Cause, MomentTally, type Tally } from "../../lens/tally.js";
import type { RecipeSettings } from "../../update/optimizer.js";
import { intended } from "../../update/recipe/intended.js";
import type { Moment, OptimizerSettings } from "../../update/recipe/recipe.js";
import { RecipeStep, stateNames } from "../../update/recipe/recipe-step.js";
import { type Columns, elementsOf } from "../../update/recipe/whole.js";
import type { Chunk } from "../chunk-lens.js";
import { ElementBits } from "./element-bits.js";
import type { Outcome, Stepper } from "./stepper.js";

const fp32 = format("fp32");

/** Applies gradients by an optimizer's recipe. The update of a step is the fp32 step from the same state. */
export class RecipeStepper implements Stepper {
  readonly #settings: RecipeSettings;
  readonly #bits: ElementBits;
  readonly #recipe: RecipeStep;
  readonly #intended: RecipeStep;
  /** The recipe's states of each weight, by name; `p` is the stored weight. */
  #states: Readonly<Record<string, Float32Array>> = {};
  /** The same states by their names in the intended step. */
  #meantStates: Readonly<Record<string, Float32Array>> = {};
  weights = new Float32Array(0);
  /** Steps taken before the first step of the chunk, and steps since. */
  #stepsTaken = 0;
  #index = 0;
  #steps: readonly OptimizerSettings[] | null = null;
  /** The index in the chunk from which weights belong to the recipe's tail. */
  #tail = 0;
  #shape: readonly number[] = [];
  /** For recipes that need whole tensors: the results of the last step for all weights, and the intended ones. */
  #all: { readonly recipe: Columns; readonly intended: Columns } | null = null;
  #moments: MomentTally[] = [];
  #causes = new Map<Cause, number>();
  #gradient = 0;
  /** The weight before the last step plus its carrier, in fp32. */
  #pending = 0;

  constructor(settings: RecipeSettings) {
    const { recipe, optimizer } = settings;
    this.#settings = settings;
    this.#bits = new ElementBits(settings.seed);
    this.#recipe = new RecipeStep(recipe, optimizer, settings.format, () => this.#bits.next());
    this.#intended = new RecipeStep(intended(recipe), optimizer, fp32, () => 0);
  }

  begin(chunk: Chunk): void {
    const { recipe } = this.#settings;
    const given = Float32Array.from(chunk.weights);
    this.#bits.begin(chunk);
    // All chunks but the last of a tensor are whole blocks.
    this.#tail = this.#recipe.tailFrom(given.length);
    this.#shape = chunk.shape ?? [given.length];
    const { whole, name } = recipe;
    if (whole?.needs === "tensor" && elementsOf(this.#shape) !== given.length) {
      const found = `${given.length} elements of ${chunk.tensor}, which has shape ${this.#shape.join(" x ")}`;
      throw new RangeError(`recipe ${name}: expected whole tensors, found ${found}`);
    }
    this.weights = Float32Array.from(chunk.weights, (x) => this.#store(x));
    const states = Object.fromEntries(
      stateNames(recipe).map((name) => [name, new Float32Array(given.length)]),
    );
    for (const { name, from } of recipe.carriers) if (from === "weight") states[name].set(given);
    this.#states = { ...states, p: this.weights };
    this.#meantStates = this.#startOfMeant();
    this.#beginOptimizer(chunk.optimizer);
    this.#forget();
  }

  #forget(): void {
    this.#moments = this.#settings.recipe.moments.map(({ name }) => new MomentTally(name));
    this.#causes = new Map();
  }

  #beginOptimizer(optimizer: Chunk["optimizer"]): void {
    this.#stepsTaken = optimizer?.stepsTaken ?? 0;
    this.#index = 0;
    this.#steps = optimizer?.settings ?? null;
    this.#configure(this.#steps?.[0] ?? this.#settings.optimizer);
    for (const moment of this.#settings.recipe.moments) {
      const recorded = optimizer?.moments[moment.of];
      if (!recorded) continue;
      const [values, carriers] = [this.#states[moment.name], this.#states[moment.carrier ?? ""]];
      for (let i = 0; i < recorded.length; i++) {
        const [value, carrier] = this.#recipe.startMoment(moment, recorded[i], this.#stepsTaken);
        values[i] = value;
        if (carriers) carriers[i] = carrier;
      }
    }
  }

  #configure(settings: OptimizerSettings): void {
    this.#recipe.configure(settings);
    this.#intended.configure(settings);
  }

  get carriers(): Float32Array {
    const [carrier] = this.#settings.recipe.carriers;
    return carrier === undefined ? this.weights : this.#states[carrier.name];
  }

  beginStep(step: number, gradients: Float32Array): void {
    this.#bits.beginStep(step);
    const settings = this.#steps?.[this.#index];
    if (settings) this.#configure(settings);
    this.#index += 1;
    this.#recipe.begin(this.#stepsTaken + this.#index);
    this.#intended.begin(this.#stepsTaken + this.#index);
    this.#all = this.#settings.recipe.whole ? this.#takeAll(gradients) : null;
  }

  #takeAll(gradients: Float32Array): { recipe: Columns; intended: Columns } {
    const copied = (columns: Columns): Columns =>
      Object.fromEntries(Object.entries(columns).map(([name, numbers]) => [name, numbers.slice()]));
    const names = [
      "u",
      "unguarded",
      "shrink",
      ...this.#settings.recipe.moments.map(({ of: role }) => role),
      "M",
    ];
    const empty = names.map((name) => [name, new Float32Array(gradients.length)] as const);
    const intended = { ...Object.fromEntries(empty), ...copied({ g: gradients, ...this.#startOfMeant() }) };
    this.#intended.applyAll(intended, this.#shape);
    const recipe = copied({ g: gradients, ...this.#states });
    this.#recipe.applyAll(recipe, this.#shape);
    return { recipe, intended };
  }

  /** The states from which the intended step starts; its weight is the master if there is one. */
  #startOfMeant(): Record<string, Float32Array> {
    const { moments, carriers, kept = [] } = this.#settings.recipe;
    const [carrier] = carriers;
    return {
      ...Object.fromEntries(moments.map(({ name, of: role }) => [role, this.#states[name]])),
      ...Object.fromEntries(kept.map((name) => [name, this.#states[name]])),
      P: this.#states[carrier?.from === "weight" ? carrier.name : "p"],
    };
  }

  step(i: number, gradient: number): Outcome {
    const { recipe } = this.#settings;
    this.#gradient = gradient;
    this.#bits.seek(i);
    if (this.#all) {
      show(this.#recipe, this.#all.recipe, i);
      show(this.#intended, this.#all.intended, i);
    } else {
      put(this.#recipe, "g", gradient);
      put(this.#intended, "g", gradient);
      for (const name in this.#states) put(this.#recipe, name, this.#states[name][i]);
      for (const name in this.#meantStates) put(this.#intended, name, this.#meantStates[name][i]);
      this.#intended.apply();
      this.#recipe.apply(i >= this.#tail);
    }
    const before = this.#weightState(i);
    const held = recipe.carriers[0]?.from === "zero" ? before.carrier : 0;
    this.#pending = Math.fround(this.#meant("P") + held);
    for (const [m, moment] of recipe.moments.entries()) this.#countMoment(this.#moments[m], moment, i);
    for (const name in this.#states) this.#states[name][i] = this.#result(name);
    return { before, after: this.#weightState(i), update: this.#meant("u") };
  }

  #weightState(i: number) {
    const [carrier] = this.#settings.recipe.carriers;
    return { weight: this.weights[i], carrier: carrier === undefined ? 0 : this.#states[carrier.name][i] };
  }

  /** Classifies the change of a moment; the intended change is that of the fp32 step. */
  #countMoment(tally: MomentTally, { name, of: role, carrier }: Moment, i: number): void {
    const state = (value: (name: string) => number) => ({
      weight: value(name),
      carrier: carrier === undefined ? 0 : value(carrier),
    });
    const before = state((stateName) => this.#states[stateName][i]);
    const after = state((stateName) => this.#result(stateName));
    tally[classify(before, this.#meant(role) - before.weight, after)] += 1;
  }

  classified(as: Class): void {
    if (as === "moved" || as === "nonfinite") return;
    const cause = this.#cause();
    this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + 1);
  }

  /** Why the last weight did not move; the first test that holds is the cause. */
  #cause(): Cause {
    const first = this.#settings.recipe.moments[0].name;
    const shrink = this.#meant("shrink");
    if (this.#meant("M") === 0 && this.#gradient === 0) return shrink === 0 ? "gradient" : "weightDecay";
    if (this.#result(first) === 0) return "momentUnderflow";
    const unguarded = Math.fround(this.#pending + this.#meant("unguarded"));
    if (this.#store(unguarded) !== this.#result("p")) return "epsilon";
    return "storage";
  }

  take(tally: Tally): void {
    for (const [cause, count] of this.#causes) tally.recipe.causes[cause] += count;
    tally.recipe.mergeMoments(this.#moments);
    this.#forget();
  }

  #store(x: number): number {
    return roundSum(x, 0, this.#settings.format, "nearest-even", this.#settings.overflow, 0);
  }

  #meant(name: string): number {
    return this.#intended.registers[this.#intended.register(name)];
  }

  #result(name: string): number {
    return this.#recipe.registers[this.#recipe.register(name)];
  }
}

function put(step: RecipeStep, name: string, value: number): void {
  step.registers[step.register(name)] = value;
}

function show(step: RecipeStep, columns: Columns, i: number): void {
  for (const name in columns) put(step, name, columns[name][i]);
}
