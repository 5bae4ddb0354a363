import type { RecipeSettings } from "../../../update/optimizer.js";
import type { Branch, Written } from "../../lane/recipe.js";
import type { CaseLines, ScalarLines } from "../../lane/recipe-scalars.js";
import { type LaneRecipeStep, type RecipeKernel, recipeStep, runStep } from "../../lane/recipe-step.js";
import { round } from "../../lane/round.js";
import type { F64, FunctionWriter, I32, V128 } from "../assembler/function.js";
import type { CaseLayout, Layout } from "../layout.js";
import { markUpdated } from "./begin.js";
import { fma } from "./fma.js";
import type { GroupBits } from "./group-bits.js";
import { forEachGroup, halves, loadGroup, vectorBytes } from "./groups.js";
import { promoteHalf } from "./lanes.js";

/** Optimizer steps by recipes from the gradients in `updates`, as in RecipeStepper of the reference engine. */

/**
 * Additional parameters of recipe step kernels: the number of weights, the address of the scalars, the first
 * weight of the tail.
 */
export const recipeParameters = ["i32", "i32", "i32"] as const;

/** The scalars of a step, loaded once for all weights. */
export class StepScalars {
  readonly #k: FunctionWriter;
  readonly #numbers = new Map<number, V128>();
  readonly #conditions = new Map<number, I32>();
  readonly #names = new Map<V128, string>();
  readonly #promoted = new Map<string, V128>();

  constructor(k: FunctionWriter, at: I32, lines: CaseLines) {
    this.#k = k;
    for (const { words } of [lines, lines.intended] as readonly ScalarLines[]) {
      for (const word of words.numbers.values()) {
        if (this.#numbers.has(word)) continue;
        const number = k.load("v128_32_splat", at, 4 * word);
        const promoted = k.f64x2.promote_low_f32x4(number);
        this.#numbers.set(word, number);
        this.#names.set(number, `scalar ${word}`);
        for (const half of halves) this.#promoted.set(`half ${half} of scalar ${word}`, promoted);
      }
      for (const word of words.conditions) this.#conditions.set(word, k.load("i32", at, 4 * word));
    }
  }

  number(word: number): V128 {
    return this.#numbers.get(word)!;
  }

  /** The expressions written, with the scalars as fp64, the same in both halves. */
  promoted(written: Written<V128>): Pick<Written<V128>, "nameOf" | "once"> {
    return {
      nameOf: (value) => this.#names.get(value) ?? written.nameOf(value),
      once: (key, write) => this.#promoted.get(key) ?? written.once(key, write),
    };
  }

  branch(word: number): Branch<V128> {
    return branch(this.#k, `word ${word}`, this.#conditions.get(word)!);
  }
}

function branch(k: FunctionWriter, key: string, condition: I32): Branch<V128> {
  return {
    key,
    choose(then, otherwise) {
      let results: V128[] = [];
      const assign = (values: readonly V128[]) => {
        if (results.length === 0) results = values.map(() => k.variable("v128"));
        for (const [i, value] of values.entries()) k.assign(results[i], value);
      };
      k.if(
        condition,
        () => assign(then()),
        () => assign(otherwise()),
      );
      return results;
    },
  };
}

/** The address of a group of eight weights, and the mask of those that exist. */
export interface RecipeGroup {
  readonly row: I32;
  readonly i: I32;
  readonly elements: I32;
  readonly tail: I32;
}

function kernelOf(
  k: FunctionWriter,
  scalars: StepScalars,
  { i, elements, tail }: Omit<RecipeGroup, "row">,
  half: number,
  random: () => V128,
): RecipeKernel<V128> {
  const { i32, i32x4 } = k;
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => 4 * half + lane);
  return {
    k,
    fma: (x, y, z, written) => fma(k, x, y, z, scalars.promoted(written)),
    scalar: (word) => scalars.number(word),
    branch: (word) => scalars.branch(word),
    // A tail begins at a group.
    tail: branch(k, "tail", i32.xor(i32.lt_u(i, tail), 1)),
    random,
    live: i32x4.lt_s(i32x4.add(i32x4.splat(i), i32x4.constants(a, b, c, d)), i32x4.splat(elements)),
  };
}

/** Runs a case's recipe on a group and stores its states. */
export function takeRecipeStep(
  k: FunctionWriter,
  settings: RecipeSettings,
  {
    layout,
    of: caseLayout,
    lines,
    scalars,
  }: RecipeCase & { readonly layout: Layout; readonly scalars: StepScalars },
  group: RecipeGroup,
  bits: GroupBits | null,
): readonly LaneRecipeStep<V128>[] {
  const { row } = group;
  const gradients = loadGroup(k, row, layout.updates);
  const rows = Object.entries({ p: caseLayout.weights, ...caseLayout.states });
  const states = rows.map(([name, at]) => [name, loadGroup(k, row, at)] as const);
  return halves.map((half) => {
    let draw = 0;
    const kernel = kernelOf(k, scalars, group, half, () => bits!.draw(half, draw++));
    const before = new Map(states.map(([name, group]) => [name, group[half]]));
    const step = recipeStep(kernel, settings, lines, before, gradients[half]);
    for (const [name, at] of rows) k.store("v128", step.states.get(name)!, row, at + half * vectorBytes);
    return step;
  });
}

/** A case with a recipe: its layout and its lines. */
export interface RecipeCase {
  readonly of: CaseLayout;
  readonly lines: CaseLines;
}

/** Parameters of {@link writeStepRun}: base of the worker's memory, weights with and without padding, scalars. */
export const runParameters = ["i32", "i32", "i32", "i32"] as const;

/** The body of `stepCounterfactual(base, count, elements, scalars)`: a step of the fp32 run by its recipe. */
export function writeStepRun(k: FunctionWriter, layout: Layout, lines: CaseLines): void {
  const { f32x4, i32 } = k;
  const [base, count, elements, at] = runParameters.map((type, i) => k.parameter(i, type));
  const scalars = new StepScalars(k, at, lines);
  forEachGroup(k, base, i32.constant(0), count, (row, flags, i) => {
    const gradients = loadGroup(k, row, layout.updates);
    const now = loadGroup(k, row, layout.now);
    const moments = lines.recipe.moments.map(
      ({ name, of: role }) =>
        [name, layout.moments![role], loadGroup(k, row, layout.moments![role])] as const,
    );
    const [low, high] = halves.map((half) => {
      const kernel = kernelOf(k, scalars, { i, elements, tail: count }, half, () => k.i32x4.constant(0));
      const after = runStep(kernel, lines, {
        weight: now[half],
        gradient: gradients[half],
        moments: new Map(moments.map(([name, , group]) => [name, group[half]])),
      });
      k.store("v128", after.weight, row, layout.now + half * vectorBytes);
      for (const [name, at] of moments)
        k.store("v128", after.moments.get(name)!, row, at + half * vectorBytes);
      return f32x4.ne(after.update, f32x4.constant(0));
    });
    markUpdated(k, flags, layout, low, high);
  });
}

/** Parameters of {@link writeBeginMoment}: base of the worker's memory, weights, the bias correction or 1. */
export const momentParameters = ["i32", "i32", "f64"] as const;

/**
 * The body of `moment C M(base, count, correction)`: starts a case's moment from the recorded numbers in `updates`,
 * like startMoment of update/recipe/recipe-step.ts.
 */
export function writeBeginMoment(
  k: FunctionWriter,
  { recipe, format }: RecipeSettings,
  layout: Layout,
  caseLayout: CaseLayout,
  moment: number,
): void {
  const [base, count] = [k.parameter(0, "i32"), k.parameter(1, "i32")];
  const correction = k.parameter(2, "f64");
  const { name, of: kind, carrier } = recipe.moments[moment];
  const store = (x: V128) =>
    round(k, x, { format, rounding: "nearest-even", overflow: "ieee" }, () => k.i32x4.constant(0));
  forEachGroup(k, base, k.i32.constant(0), count, (row) => {
    for (const [half, recorded] of loadGroup(k, row, layout.updates).entries()) {
      const value = recipe.correctedMoments ? divided(k, recorded, correction) : recorded;
      const stored = name === kind ? value : store(value);
      k.store("v128", stored, row, caseLayout.states[name] + half * vectorBytes);
      if (carrier === undefined) continue;
      const second = store(k.f32x4.sub(value, stored));
      k.store("v128", second, row, caseLayout.states[carrier] + half * vectorBytes);
    }
  });
}

/** x / by in fp64, rounded to fp32. */
function divided(k: FunctionWriter, x: V128, by: F64): V128 {
  const [low, high] = halves.map((half) => {
    const quotient = k.f64x2.div(promoteHalf(k, x, half), k.f64x2.splat(by));
    return k.f32x4.demote_f64x2_zero(quotient);
  });
  return k.i8x16.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}
