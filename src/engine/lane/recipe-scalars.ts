import type { Format } from "../../format/format.js";
import { format as formatNamed } from "../../format/registry.js";
import { type RecipeSettings, recipes } from "../../update/optimizer.js";
import { type Condition, type Expression, parseAssignment } from "../../update/recipe/expression.js";
import { intended } from "../../update/recipe/intended.js";
import type { OptimizerSettings, Recipe } from "../../update/recipe/recipe.js";
import { RecipeStep, stateNames } from "../../update/recipe/recipe-step.js";
import { expectWritable, namesIn, namesRead } from "./recipe.js";

const fp32 = formatNamed("fp32");

/** The inputs of every recipe's scalars. */
const given = ["lr", "b1", "b2", "eps", "wd", "t"];
/** Functions of scalars that return an fp32 number. */
const fp32Calls = ["f32", "R", "powf", "sub32", "div32", "sqrt32", "mul32"];

/** The indices, among the scalar words of the job, of those that one recipe's lines read. */
export class ScalarWords {
  /** By name. */
  readonly numbers = new Map<string, number>();
  readonly #conditions = new Map<string, number>();
  readonly #isScalar: (name: string) => boolean;

  constructor(isScalar: (name: string) => boolean) {
    this.#isScalar = isScalar;
  }

  /** The index of the word that is nonzero if a condition holds; null for a condition on numbers of each weight. */
  condition(condition: Condition): number | null {
    return this.#conditions.get(textOf(condition)) ?? null;
  }

  /** The indices of all conditions. */
  get conditions(): Iterable<number> {
    return this.#conditions.values();
  }

  /** Whether a condition compares scalars only. */
  isOnScalars({ left, right }: Condition): boolean {
    return [left, right].flatMap(namesIn).every(this.#isScalar);
  }

  addCondition(condition: Condition, word: number): void {
    this.#conditions.set(textOf(condition), word);
  }
}

/** A recipe reduced to the lines computed for each weight, and the indices of their scalars. */
export interface ScalarLines {
  readonly recipe: Recipe;
  readonly words: ScalarWords;
}

/** The lines of a case. */
export interface CaseLines extends ScalarLines {
  /** The intended step in fp32, from the same weight and moments. */
  readonly intended: ScalarLines;
}

/**
 * The scalars of a job's recipes, computed once per step on the host: fp32 numbers, and 1 or 0 for conditions.
 * Scalars common to two recipes share a word, so that the lines reading it are identical too.
 */
export class RecipeScalars {
  readonly cases: readonly CaseLines[];
  /** The fp32 run. */
  readonly run: CaseLines;
  readonly #settings: OptimizerSettings;
  readonly #steps: RecipeStep[] = [];
  readonly #words = new Map<string, (step: RecipeStep[]) => number>();

  /** @throws SyntaxError for a line that reads or compares a scalar that is not an fp32 number. */
  constructor(cases: readonly RecipeSettings[]) {
    const [{ optimizer, recipe }] = cases;
    this.#settings = optimizer;
    this.run = this.#linesOf(recipes[recipe.optimizer].get("fp32")!, fp32);
    this.cases = cases.map((settings) => this.#linesOf(settings.recipe, settings.format));
  }

  /** The number of words per step. */
  get length(): number {
    return this.#words.size;
  }

  /** The words of step t, counted from 1, with its own settings or those of the job. */
  of(settings: OptimizerSettings | undefined, t: number): Float32Array {
    for (const step of this.#steps) {
      step.configure(settings ?? this.#settings);
      step.begin(t);
    }
    return Float32Array.from(this.#words.values(), (word) => word(this.#steps));
  }

  #linesOf(recipe: Recipe, format: Format): CaseLines {
    return {
      ...this.#scalarLines(recipe, format),
      intended: this.#scalarLines(intended(recipe), fp32),
    };
  }

  #scalarLines(recipe: Recipe, format: Format): ScalarLines {
    const index = this.#steps.length;
    const step = new RecipeStep(recipe, this.#settings, format, () => 0);
    this.#steps.push(step);
    const keys = keysOf(recipe, format);
    const words = new ScalarWords((name) => keys.has(name));
    const states = new Set(["g", ...stateNames(recipe)]);
    for (const lines of [recipe.weight, ...(recipe.tail ? [recipe.tail.weight] : [])]) {
      expectWritable(lines);
      for (const name of namesRead(lines, { conditions: false })) {
        const key = keys.get(name);
        if (states.has(name) || key === undefined) continue;
        if (!key.isFp32)
          throw new SyntaxError(`recipe ${recipe.name}: its lines read ${name}, no fp32 number`);
        const word = this.#word(key.text, (steps) => steps[index].registers[step.register(name)]);
        words.numbers.set(name, word);
      }
      for (const { condition } of lines.map(parseAssignment)) {
        if (condition === null || !words.isOnScalars(condition)) continue;
        const side = (expression: Expression) => sideOf(expression, recipe);
        const [left, right] = [side(condition.left), side(condition.right)];
        const { comparison } = condition;
        const text = `${left.key(keys)} ${comparison} ${right.key(keys)}`;
        const word = this.#word(text, (steps) => {
          const [a, b] = [left.value(steps[index]), right.value(steps[index])];
          return Number(comparison === "<" ? a < b : comparison === ">=" ? a >= b : a !== b);
        });
        words.addCondition(condition, word);
      }
    }
    return { recipe, words };
  }

  #word(key: string, value: (steps: RecipeStep[]) => number): number {
    if (!this.#words.has(key)) this.#words.set(key, value);
    return [...this.#words.keys()].indexOf(key);
  }
}

/** A canonical key of a scalar's computation, equal for equal computations. */
interface ScalarKey {
  readonly text: string;
  readonly isFp32: boolean;
}

function keysOf({ scalars }: Recipe, format: Format): ReadonlyMap<string, ScalarKey> {
  const keys = new Map<string, ScalarKey>(given.map((name) => [name, { text: name, isFp32: false }]));
  const textOf = (expression: Expression): string => {
    if (expression.kind === "number") return String(expression.value);
    if (expression.kind === "name") return keys.get(expression.name)!.text;
    if (expression.kind === "binary")
      return `(${textOf(expression.left)} ${expression.operator} ${textOf(expression.right)})`;
    const callee = expression.callee === "R" ? `R ${format.name}` : expression.callee;
    return `${callee}(${expression.operands.map(textOf).join(", ")})`;
  };
  const isFp32 = (expression: Expression): boolean => {
    if (expression.kind === "name") return keys.get(expression.name)!.isFp32;
    return (
      expression.kind === "call" &&
      (expression.callee === "negate"
        ? isFp32(expression.operands[0])
        : fp32Calls.includes(expression.callee))
    );
  };
  for (const { condition, target, value, text } of scalars.map(parseAssignment)) {
    if (condition !== null) throw new SyntaxError(`recipe line "${text}": no conditions among scalars`);
    keys.set(target, { text: textOf(value), isFp32: isFp32(value) });
  }
  return keys;
}

/** An operand of a condition on scalars: a name or a number. */
function sideOf(expression: Expression, { name }: Recipe) {
  if (expression.kind === "number") {
    return { key: () => String(expression.value), value: () => expression.value };
  }
  if (expression.kind !== "name")
    throw new SyntaxError(`recipe ${name}: a condition compares names and numbers`);
  return {
    key: (keys: ReadonlyMap<string, ScalarKey>) => keys.get(expression.name)!.text,
    value: (step: RecipeStep) => step.registers[step.register(expression.name)],
  };
}

function textOf(condition: Condition): string {
  return JSON.stringify(condition);
}
