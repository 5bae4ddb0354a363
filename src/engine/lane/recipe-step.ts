import type { RecipeSettings } from "../../update/optimizer.js";
import { type Condition, parseAssignment } from "../../update/recipe/expression.js";
import type { Moment } from "../../update/recipe/recipe.js";
import { momentNames, stateNames } from "../../update/recipe/recipe-step.js";
import type { Lane } from "./lane.js";
import { type Branch, type Fma, type RecipeOperations, Written, writeRecipe } from "./recipe.js";
import type { CaseLines, ScalarLines } from "./recipe-scalars.js";
import { round } from "./round.js";
import type { LaneState } from "./scheme.js";

/** The step of an optimizer's recipe on lanes of weights, as in RecipeStepper of the reference engine. */

/** The primitives that an engine provides for writing a step. */
export interface RecipeKernel<V> {
  readonly k: Lane<V>;
  readonly fma: Fma<V>;
  /** A word of the step's scalars, as an fp32 number in all lanes. */
  scalar(word: number): V;
  /** The branch taken where a word of the step's scalars is nonzero. */
  branch(word: number): Branch<V>;
  /** The branch taken for the elements of the recipe's tail. */
  readonly tail: Branch<V>;
  /** 32 random bits per lane for each stochastic rounding in turn. */
  random(): V;
  /** The mask of the lanes that hold a weight; results in the others are zero. */
  readonly live: V;
}

/** One moment in a step. */
export interface LaneMoment<V> {
  readonly before: V;
  /** The moment after the step if computed and stored in fp32. */
  readonly meant: V;
  readonly after: V;
  /** The second term of its stored pair. */
  readonly carrier: { readonly before: V; readonly after: V } | null;
}

/**
 * The result of a step on lanes of weights. The masks tell why a weight did not move; see `#cause` of RecipeStepper.
 */
export interface LaneRecipeStep<V> {
  readonly before: LaneState<V>;
  readonly after: LaneState<V>;
  /** The intended update. */
  readonly update: V;
  /** Weight, moments and carriers after the step, by name. */
  readonly states: ReadonlyMap<string, V>;
  readonly moments: readonly LaneMoment<V>[];
  /** The gradient and the intended first moment are both zero. */
  readonly idle: V;
  /** Weight decay shrinks the weight. */
  readonly shrinks: V;
  /** The first moment became zero. */
  readonly underflows: V;
  /** Without epsilon a different weight would be stored. */
  readonly guarded: V;
}

/** The name of the state that acts as the carrier, or null. */
export function carrierOf({ recipe }: Pick<RecipeSettings, "recipe">): string | null {
  return recipe.carriers[0]?.name ?? null;
}

/** The states besides the weight, and whether each is stored in the storage format. */
export function statesOf({
  recipe,
}: Pick<RecipeSettings, "recipe">): ReadonlyMap<string, { stored: boolean }> {
  const stored = new Map(momentNames(recipe.moments).map((name) => [name, { stored: true }]));
  for (const { name, of: role } of recipe.moments) if (name === role) stored.set(name, { stored: false });
  for (const { name, from } of recipe.carriers) stored.set(name, { stored: from === "zero" });
  return stored;
}

/** @param states the recipe's states by name; `p` is the weight. */
export function recipeStep<V>(
  kernel: RecipeKernel<V>,
  settings: RecipeSettings,
  lines: CaseLines,
  states: ReadonlyMap<string, V>,
  gradient: V,
): LaneRecipeStep<V> {
  const { k } = kernel;
  const { f32x4, v128 } = k;
  const { recipe } = settings;
  const written = new Written<V>();
  const live = (x: V) => v128.and(x, kernel.live);
  const master = recipe.carriers[0]?.from === "weight" ? recipe.carriers[0].name : "p";
  const weight = states.get(master)!;
  const meant = meantStep(kernel, lines.intended, gradient, weight, recipe.moments, states, written);
  const after = stepOf(kernel, settings, lines, gradient, states, written);

  const carrierName = carrierOf(settings);
  const carrier = (values: ReadonlyMap<string, V>) =>
    carrierName === null ? null : values.get(carrierName)!;
  const isPending = recipe.carriers[0]?.from === "zero";
  const pending = isPending ? f32x4.add(weight, carrier(states)!) : weight;
  const { format, overflow } = settings;
  const unguarded = round(
    k,
    f32x4.add(pending, meant.get("unguarded")!),
    { format, rounding: "nearest-even", overflow },
    kernel.random,
  );
  const zero = f32x4.constant(0);
  const isZero = (x: V) => f32x4.eq(x, zero);
  const moments = recipe.moments.map(({ name, of: role, carrier }): LaneMoment<V> => {
    const second = carrier !== undefined && { before: states.get(carrier)!, after: after.get(carrier)! };
    const [before, becomes] = [states.get(name)!, after.get(name)!];
    return { before, meant: live(meant.get(role)!), after: becomes, carrier: second || null };
  });
  return {
    before: { weight: states.get("p")!, carrier: carrier(states) },
    after: { weight: after.get("p")!, carrier: carrier(after) },
    update: live(meant.get("u")!),
    states: after,
    moments,
    idle: v128.and(isZero(live(meant.get("M")!)), isZero(gradient)),
    shrinks: f32x4.ne(live(meant.get("shrink")!), zero),
    underflows: isZero(after.get(recipe.moments[0].name)!),
    guarded: f32x4.ne(live(unguarded), after.get("p")!),
  };
}

/** The recipe's states after a step. */
function stepOf<V>(
  kernel: RecipeKernel<V>,
  { recipe, format }: RecipeSettings,
  { words }: ScalarLines,
  gradient: V,
  states: ReadonlyMap<string, V>,
  written: Written<V>,
): ReadonlyMap<string, V> {
  const { k } = kernel;
  const names = stateNames(recipe);
  const rounded = (rounding: "nearest-even" | "nearest-away" | "stochastic") => (x: V) =>
    round(k, x, { format, rounding, overflow: "ieee" }, kernel.random);
  const operations = {
    ...operationsOf(kernel, words),
    store: rounded("nearest-even"),
    storeAtRandom: rounded("stochastic"),
    storeAway: rounded("nearest-away"),
  };
  const take = (lines: readonly string[]) => {
    const values = new Map([...scalarsOf(kernel, words), ...states, ["g", gradient] as const]);
    writeRecipe(operations, lines, values, written);
    return names.map((name) => values.get(name)!);
  };
  const { tail } = recipe;
  const after =
    tail === undefined
      ? take(recipe.weight)
      : kernel.tail.choose(
          () => written.inside(() => take(tail.weight)),
          () => written.inside(() => take(recipe.weight)),
        );
  return new Map(names.map((name, i) => [name, k.v128.and(after[i], kernel.live)]));
}

/** The intended step from a weight and the recipe's moments: the values of all names that its lines assign. */
function meantStep<V>(
  kernel: RecipeKernel<V>,
  { recipe: { weight: lines }, words }: ScalarLines,
  gradient: V,
  weight: V,
  moments: readonly Moment[],
  states: ReadonlyMap<string, V>,
  written: Written<V>,
): ReadonlyMap<string, V> {
  const values = new Map([...scalarsOf(kernel, words), ["g", gradient] as const, ["P", weight] as const]);
  for (const { name, of: role } of moments) values.set(role, states.get(name)!);
  writeRecipe(operationsOf(kernel, words), lines, values, written);
  return values;
}

/** A step of the fp32 run: its weight and moments after the step, and the intended update, without `unguarded`. */
export function runStep<V>(
  kernel: RecipeKernel<V>,
  { recipe, words, intended }: CaseLines,
  { weight, moments, gradient }: { weight: V; moments: ReadonlyMap<string, V>; gradient: V },
): { readonly weight: V; readonly moments: ReadonlyMap<string, V>; readonly update: V } {
  const written = new Written<V>();
  const live = (x: V) => kernel.k.v128.and(x, kernel.live);
  const lines = intended.recipe.weight.filter((line) => parseAssignment(line).target !== "unguarded");
  const asked = { ...intended, recipe: { ...intended.recipe, weight: lines } };
  const meant = meantStep(kernel, asked, gradient, weight, recipe.moments, moments, written);
  const values = new Map([
    ...scalarsOf(kernel, words),
    ...moments,
    ["g", gradient] as const,
    // In fp32 the stored weight and the master are one.
    ...["p", "P"].map((name) => [name, weight] as const),
  ]);
  writeRecipe(operationsOf(kernel, words), recipe.weight, values, written);
  return {
    weight: live(values.get("p")!),
    moments: new Map(recipe.moments.map(({ name }) => [name, live(values.get(name)!)])),
    update: live(meant.get("u")!),
  };
}

function scalarsOf<V>(kernel: RecipeKernel<V>, { numbers }: ScalarLines["words"]) {
  return [...numbers].map(([name, word]) => [name, kernel.scalar(word)] as const);
}

function operationsOf<V>(kernel: RecipeKernel<V>, words: ScalarLines["words"]): RecipeOperations<V> {
  return {
    k: kernel.k,
    fma: kernel.fma,
    holds(condition: Condition) {
      const word = words.condition(condition);
      return word === null ? null : kernel.branch(word);
    },
  };
}

/** The counts kept of each moment; `lost` is the remainder. */
export const momentCounts = ["zero", "moved", "kept", "nonfinite"] as const;
