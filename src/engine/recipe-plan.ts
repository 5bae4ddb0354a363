import type { MomentKind, TensorInput } from "../lens/input.js";
import type { CaseSettings, RecipeSettings } from "../update/optimizer.js";
import type { OptimizerSettings } from "../update/recipe/recipe.js";
import { momentCorrection } from "../update/recipe/recipe-step.js";
import { RecipeScalars } from "./lane/recipe-scalars.js";

/** How a case's moment starts from a recorded one: the bias correction by which that is divided. */
export interface MomentStart {
  readonly case: number;
  readonly moment: number;
  readonly correction: number;
}

export const momentKinds: readonly MomentKind[] = ["M", "V"];

/** The parameters of recipe kernels for each tensor and step. */
export class RecipePlan {
  readonly scalars: RecipeScalars;
  /** The block length of each case: elements after the last whole block of a tensor are its tail. */
  readonly tailBlocks: readonly number[];
  readonly #cases: readonly RecipeSettings[];

  /** The plan of a job; null if its cases have schemes. */
  static of(cases: readonly CaseSettings[]): RecipePlan | null {
    const recipes = cases.filter((settings) => settings.recipe !== undefined);
    return recipes.length === 0 ? null : new RecipePlan(recipes);
  }

  private constructor(cases: readonly RecipeSettings[]) {
    this.#cases = cases;
    this.scalars = new RecipeScalars(cases);
    this.tailBlocks = cases.map(({ recipe }) => recipe.tail?.block ?? 1);
  }

  /** The size in bytes of the scalars of a step. */
  get scalarBytes(): number {
    return 4 * this.scalars.length;
  }

  /** How the cases start from a moment recorded after `stepsTaken` steps; `first` has the settings of the next step. */
  starts(kind: MomentKind, stepsTaken: number, first: OptimizerSettings | undefined): MomentStart[] {
    return this.#cases.flatMap(({ recipe, optimizer }, c) =>
      recipe.moments.flatMap((moment, m) => {
        if (moment.of !== kind) return [];
        const correction = momentCorrection(recipe, moment, first ?? optimizer, stepsTaken);
        return [{ case: c, moment: m, correction }];
      }),
    );
  }
}

/** The scalars of every step of some tensors, concatenated; tensors with the same settings share them. */
export class ScalarTable {
  readonly #plan: RecipePlan;
  readonly #steps: number;
  /** By JSON of settings and steps taken. {@link #known} is by identity. */
  readonly #offsets = new Map<string, number>();
  readonly #known = new Map<TensorInput["optimizer"], number>();
  readonly #words: Float32Array[] = [];

  constructor(plan: RecipePlan, tensors: readonly TensorInput[], steps: number) {
    this.#plan = plan;
    this.#steps = steps;
    for (const { optimizer } of tensors) this.#add(optimizer);
  }

  get words(): Float32Array {
    const { length } = this.#plan.scalars;
    const all = new Float32Array(this.#words.length * length);
    for (const [i, words] of this.#words.entries()) all.set(words, i * length);
    return all;
  }

  /** The offset of a tensor's first step, in words. */
  of({ optimizer }: TensorInput): number {
    return this.#known.get(optimizer)!;
  }

  #add(optimizer: TensorInput["optimizer"]): void {
    if (this.#known.has(optimizer)) return;
    const { settings, stepsTaken = 0 } = optimizer ?? {};
    const key = JSON.stringify([settings, stepsTaken]);
    const known = this.#offsets.get(key);
    const offset = known ?? this.#words.length * this.#plan.scalars.length;
    this.#known.set(optimizer, offset);
    if (known !== undefined) return;
    this.#offsets.set(key, offset);
    for (let step = 0; step < this.#steps; step++) {
      this.#words.push(this.#plan.scalars.of(settings?.[step], stepsTaken + step + 1));
    }
  }
}

/** Whether the weights of a case are compared with those of the first: true for recipes with its storage format. */
export function isCompared(cases: readonly CaseSettings[], c: number): boolean {
  return cases[c].recipe !== undefined && cases[c].format === cases[0].format;
}
