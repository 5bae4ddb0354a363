import type { Format } from "../format/format.js";
import { format as formatNamed } from "../format/registry.js";
import { optimizerNames, recipes } from "../update/optimizer.js";
import type { OptimizerSettings, Recipe } from "../update/recipe/recipe.js";
import { RecipeStep, stateNames } from "../update/recipe/recipe-step.js";
import { codesOf, type FrameworkFile, type FrameworkStep } from "./framework-file.js";
import { sameNumber } from "./mistake.js";

/** A recipe compared with a framework: element steps, and the first difference. */
export interface ComparedRecipe {
  readonly recipe: Recipe;
  /** Steps of elements that were compared. */
  readonly cases: number;
  /** Those in which any state differs. */
  readonly wrong: number;
  /** In step order: the moments, then the weight where these are right. */
  readonly stages: readonly Stage[];
  readonly first: FirstDifference | null;
  /**
   * Whether it rounds stochastically, and what was found looks drawn: then either neighbour is right, which is no proof. Else a
   * stochastic recipe is held against its nearest numbers.
   */
  readonly isStochastic: boolean;
}

export interface Stage {
  /** A state by its name in the recipe. */
  readonly state: string;
  readonly wrong: number;
  readonly of: number;
}

export interface FirstDifference {
  readonly step: number;
  readonly element: number;
  readonly state: string;
  readonly gradient: number;
  readonly before: Readonly<Record<string, number>>;
  readonly expected: number;
  readonly found: number;
}

/** What optimizers call their states. */
const known: Readonly<Record<string, string>> = {
  exp_avg: "m",
  momentum_buffer: "m",
  exp_avg_sq: "v",
  compensation: "k",
  kahan_comp: "k",
  master_param: "P",
};

type Numbers = Float32Array;

/** Numbers from their codes as fp32. */
const numbersOf = (codes: string): Numbers => new Float32Array(codesOf(codes).buffer);
type States = Readonly<Record<string, Numbers>>;

/** A file's step in numbers: states before and after it, by our names. */
interface Step {
  readonly t: number;
  readonly g: Numbers;
  readonly before: States;
  readonly after: States;
}

/** Every recipe with the framework's states, the nearest first; exact ones before stochastic ones. */
export function compareRecipes(file: FrameworkFile): ComparedRecipe[] {
  const format = formatNamed(file.format);
  const steps = stepsOf(file);
  const all = optimizerNames.flatMap((optimizer) => [...recipes[optimizer].values()]);
  return all
    .filter((recipe) => recipe.whole?.refuses?.(file.shape) == null)
    .flatMap((recipe) => compared(recipe, file, format, steps) ?? [])
    .sort((a, b) => rank(a) - rank(b) || a.wrong - b.wrong);
}

function rank({ isStochastic, wrong }: ComparedRecipe): number {
  if (wrong > 0) return 2;
  return isStochastic ? 1 : 0;
}

function stepsOf(file: FrameworkFile): Step[] {
  const isFp32 = file.format === "fp32";
  const ofStep = (step: FrameworkStep): States => {
    const entries = Object.entries(step.states).flatMap(([name, { format, codes }]) => {
      const ours = known[name];
      if (ours === undefined) return [];
      const inFp32 = format === "fp32" && !isFp32 && /^[mv]$/.test(ours);
      return [[inFp32 ? ours.toUpperCase() : ours, numbersOf(codes)] as const];
    });
    return { p: numbersOf(step.p), ...Object.fromEntries(entries) };
  };
  let before: States = { p: numbersOf(file.start) };
  return file.steps.map((step) => {
    const after = ofStep(step);
    const started = Object.keys(after).map((name) => {
      const start = name === "P" ? before.p : new Float32Array(before.p.length);
      return [name, before[name] ?? start] as const;
    });
    const result = { t: step.t, g: numbersOf(step.g), before: Object.fromEntries(started), after };
    before = after;
    return result;
  });
}

function settingsOf({ settings }: FrameworkFile): OptimizerSettings {
  const { lr, betas, momentum, eps, weight_decay: weightDecay } = settings;
  const [b1, b2] = betas ?? [momentum ?? 0.9, 0.999];
  return {
    lr: lr ?? 0,
    betas: [b1, b2],
    ...(typeof eps === "number" && { eps }),
    ...(weightDecay !== undefined && { weightDecay }),
  };
}

/** Null where the recipe keeps other states than the framework. */
function compared(
  recipe: Recipe,
  file: FrameworkFile,
  format: Format,
  steps: readonly Step[],
): ComparedRecipe | null {
  const isFp32 = format.name === "fp32";
  if (recipe.fp32Storage && !isFp32) return null;
  // In fp32 a master is the weight itself, and M is m.
  const nameIn = (state: string) => (isFp32 ? (state === "P" ? "p" : state.toLowerCase()) : state);
  const states = stateNames(recipe);
  const kept = new Set(states.map(nameIn));
  const found = Object.keys(steps[0]?.after ?? {});
  const unseen = recipe.kept?.map(nameIn) ?? [];
  if (found.length < 2 || found.some((name) => !kept.has(name))) return null;
  if ([...kept].some((name) => !found.includes(name) && !unseen.includes(name))) return null;
  if (unseen.length > 0) return null;

  const settings = settingsOf(file);
  const runOf = (bits: number) => new RecipeStep(recipe, settings, format, () => bits);
  const isStochastic = recipe.weight.some((line) => line.includes("S("));
  // Random bits that round toward zero, away from it, and to the nearest.
  const runs = (isStochastic ? [0, 2 ** 32 - 1, 2 ** 31] : [0]).map(runOf);
  const stages = [...recipe.moments.map(({ name }) => nameIn(name)), "p"];
  const exact = new Judgement(stages);
  const drawn = { nearest: new Judgement(stages), toNearest: 0, of: 0 };
  for (const { t, g, before, after } of steps) {
    const results = runs.map((run) => stepAll(run, states, nameIn, t, g, before, file.shape));
    const expected = (state: string, i: number) => results.map((result) => result[state][i]);
    for (let i = 0; i < g.length; i++) {
      const step = { t, g, before, after, i };
      exact.judge(step, (state) => expected(state, i));
      if (!isStochastic) continue;
      drawn.nearest.judge(step, (state) => expected(state, i).slice(2));
      for (const state of stages) {
        const [down, up, nearest] = expected(state, i);
        if (sameNumber(down, up)) continue;
        drawn.of += 1;
        if (sameNumber(after[state][i], nearest)) drawn.toNearest += 1;
      }
    }
  }
  // Of numbers that lie anywhere between two neighbours, three of four are drawn to the nearer one.
  const share = drawn.toNearest / drawn.of;
  const isDrawn = isStochastic && drawn.of >= 50 && share > 0.6 && share < 0.9;
  const judged = isStochastic && !isDrawn ? drawn.nearest : exact;
  return { recipe, isStochastic: isDrawn, ...judged.outcome() };
}

/** What is counted of the steps of elements, by states in the order of a step. */
class Judgement {
  readonly #stages: readonly string[];
  readonly #counts: ReadonlyMap<string, { wrong: number; of: number }>;
  #cases = 0;
  #wrong = 0;
  #first: FirstDifference | null = null;

  constructor(stages: readonly string[]) {
    this.#stages = stages;
    this.#counts = new Map(stages.map((state) => [state, { wrong: 0, of: 0 }]));
  }

  /** Of an element; a state may become any of these numbers. */
  judge(
    { t, g, before, after, i }: Step & { readonly i: number },
    expectedOf: (state: string) => readonly number[],
  ): void {
    this.#cases += 1;
    let isRight = true;
    for (const state of this.#stages) {
      // A weight with different moments is not comparable.
      if (state === "p" && !isRight) continue;
      const found = after[state][i];
      const count = this.#counts.get(state)!;
      count.of += 1;
      const expected = expectedOf(state);
      if (expected.some((x) => sameNumber(x, found))) continue;
      count.wrong += 1;
      isRight = false;
      this.#first ??= {
        ...{ step: t, element: i, state, gradient: g[i], expected: expected[0], found },
        before: Object.fromEntries(Object.entries(before).map(([name, numbers]) => [name, numbers[i]])),
      };
    }
    if (!isRight) this.#wrong += 1;
  }

  outcome(): Omit<ComparedRecipe, "recipe" | "isStochastic"> {
    return {
      cases: this.#cases,
      wrong: this.#wrong,
      stages: this.#stages.map((state) => ({ state, ...this.#counts.get(state)! })),
      first: this.#first,
    };
  }
}

/** The states after a step of all elements by a recipe. */
function stepAll(
  run: RecipeStep,
  states: readonly string[],
  nameIn: (state: string) => string,
  t: number,
  g: Numbers,
  before: States,
  shape: readonly number[],
): Record<string, Numbers> {
  run.begin(t);
  if (run.recipe.whole) {
    const columns = Object.fromEntries(states.map((state) => [state, before[nameIn(state)].slice()]));
    run.applyAll({ ...columns, g: g.slice() }, shape);
    return Object.fromEntries(states.map((state) => [nameIn(state), columns[state]]));
  }
  const result = Object.fromEntries(states.map((state) => [nameIn(state), new Float32Array(g.length)]));
  const tail = run.tailFrom(g.length);
  for (let i = 0; i < g.length; i++) {
    run.registers[run.register("g")] = g[i];
    for (const state of states) run.registers[run.register(state)] = before[nameIn(state)][i];
    run.apply(i >= tail);
    for (const state of states) result[nameIn(state)][i] = run.registers[run.register(state)];
  }
  return result;
}
