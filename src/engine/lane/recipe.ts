import {
  type Assignment,
  type Condition,
  type Expression,
  parseAssignment,
} from "../../update/recipe/expression.js";
import type { Lane } from "./lane.js";

/** a b + c, rounded once to fp32; `written` shares intermediate values between calls. */
export type Fma<V> = (a: V, b: V, c: V, written: Written<V>) => V;

/** A branch of a kernel: the values of one side or the other, depending on its condition. */
export interface Branch<V> {
  /** Identifies the condition. */
  readonly key: string;
  choose(then: () => readonly V[], otherwise: () => readonly V[]): readonly V[];
}

/** The operations used to write lines. */
export interface RecipeOperations<V> {
  readonly k: Lane<V>;
  readonly fma: Fma<V>;
  /** `R`, `S` and `A` of the recipe's lines; absent for lines that store nothing. */
  readonly store?: (x: V) => V;
  readonly storeAtRandom?: (x: V) => V;
  readonly storeAway?: (x: V) => V;
  /** Whether a condition on scalars holds, or the branch testing it; null for one on numbers of each weight. */
  holds(condition: Condition): boolean | Branch<V> | null;
}

/** The number of operands of each function. */
const operandsOf: Readonly<Record<string, number>> = {
  fma: 3,
  sqrt: 1,
  negate: 1,
  sign: 1,
  R: 1,
  S: 1,
  A: 1,
};

/**
 * The expressions written so far in a kernel, for common subexpression elimination within and across recipes. Valid
 * as long as values do not change: all branches are closed, no variable was assigned.
 */
export class Written<V> {
  readonly #names = new Map<V, string>();
  #known = new Map<string, V>();

  /** A unique name for the value. */
  nameOf(value: V): string {
    const name = this.#names.get(value) ?? `v${this.#names.size}`;
    this.#names.set(value, name);
    return name;
  }

  once(key: string, write: () => V): V {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = write();
    this.#known.set(key, value);
    return value;
  }

  /** Runs `body` in one side of a branch; expressions written there are not visible outside. */
  inside<T>(body: () => T): T {
    const outside = this.#known;
    this.#known = new Map(outside);
    const result = body();
    this.#known = outside;
    return result;
  }
}

/**
 * Writes the instructions for the lines of a recipe that are computed for each weight, with the meaning that
 * weightDialect of update/recipe gives them. New names are added to `values`.
 *
 * @throws SyntaxError for an unknown name, and for operations not available for each weight, such as powers.
 */
export function writeRecipe<V>(
  operations: RecipeOperations<V>,
  lines: readonly string[],
  values: Map<string, V>,
  written = new Written<V>(),
): void {
  const text = new Text(operations, values, written);
  for (const line of lines) text.write(parseAssignment(line));
}

class Text<V> {
  #line = "";

  constructor(
    readonly operations: RecipeOperations<V>,
    readonly values: Map<string, V>,
    readonly written: Written<V>,
  ) {}

  write({ condition, target, value, text }: Assignment): void {
    this.#line = text;
    const holds = condition === null || this.operations.holds(condition);
    if (holds === false) return;
    if (holds === true) this.values.set(target, this.#value(value));
    else if (holds === null) this.values.set(target, this.#selected(condition!, value, this.#before(target)));
    else this.values.set(target, this.#branched(holds, value, this.#before(target)));
  }

  #named(name: string): V {
    const value = this.values.get(name);
    if (value === undefined) throw new SyntaxError(`recipe line "${this.#line}": unknown name ${name}`);
    return value;
  }

  /** The value of a name if a condition does not hold; NaN if unassigned, in which case a later line assigns it. */
  #before(name: string): V {
    const { k } = this.operations;
    return this.values.get(name) ?? this.written.once("NaN", () => k.f32x4.constant(Number.NaN));
  }

  #branched(branch: Branch<V>, value: Expression, before: V): V {
    const { written } = this;
    return written.once(`${branch.key} ? ${this.#key(value)} : ${written.nameOf(before)}`, () => {
      const then = () => written.inside(() => [this.#value(value)]);
      return branch.choose(then, () => [before])[0];
    });
  }

  #selected({ comparison, left, right }: Condition, value: Expression, before: V): V {
    const { f32x4, v128 } = this.operations.k;
    const [a, b] = [this.#value(left), this.#value(right)];
    const masks = { "<": () => f32x4.gt(b, a), ">=": () => f32x4.ge(a, b), "!=": () => f32x4.ne(a, b) };
    return v128.select(masks[comparison](), this.#value(value), before);
  }

  /** Equal for equal expressions of equal values. */
  #key(expression: Expression): string {
    if (expression.kind === "number") return String(expression.value);
    if (expression.kind === "name") return this.written.nameOf(this.#named(expression.name));
    const operands = expression.kind === "binary" ? [expression.left, expression.right] : expression.operands;
    const name = expression.kind === "binary" ? expression.operator : expression.callee;
    return `(${[name, ...operands.map((operand) => this.#key(operand))].join(" ")})`;
  }

  #value(expression: Expression): V {
    if (expression.kind === "name") return this.#named(expression.name);
    // Every stochastic rounding takes its own random bits.
    if (expression.kind === "call" && expression.callee === "S") return this.#compute(expression);
    return this.written.once(this.#key(expression), () => this.#compute(expression));
  }

  #compute(expression: Exclude<Expression, { kind: "name" }>): V {
    const { f32x4 } = this.operations.k;
    if (expression.kind === "number") return f32x4.constant(expression.value);
    if (expression.kind === "call") return this.#call(expression.callee, expression.operands);
    const operators = { "+": f32x4.add, "-": f32x4.sub, "*": f32x4.mul, "/": f32x4.div } as const;
    if (expression.operator === "^")
      throw new SyntaxError(`recipe line "${this.#line}": no ^ for each weight`);
    return operators[expression.operator](this.#value(expression.left), this.#value(expression.right));
  }

  #call(callee: string, operands: readonly Expression[]): V {
    const { k, fma, store, storeAtRandom, storeAway } = this.operations;
    if (operandsOf[callee] === operands.length) {
      const [a, b, c] = operands.map((operand) => this.#value(operand));
      if (callee === "fma") return fma(a, b, c, this.written);
      if (callee === "sqrt") return k.f32x4.sqrt(a);
      if (callee === "negate") return k.f32x4.neg(a);
      if (callee === "sign") return sign(k, a);
      if (callee === "R" && store) return store(a);
      if (callee === "S" && storeAtRandom) return storeAtRandom(a);
      if (callee === "A" && storeAway) return storeAway(a);
    }
    throw new SyntaxError(`recipe line "${this.#line}": no ${callee} of ${operands.length} for each weight`);
  }
}

/** Like Math.sign: 1 or -1; zeros and NaN unchanged. */
function sign<V>({ f32x4, v128 }: Lane<V>, x: V): V {
  const zero = f32x4.constant(0);
  const negative = v128.select(f32x4.gt(zero, x), f32x4.constant(-1), x);
  return v128.select(f32x4.gt(x, zero), f32x4.constant(1), negative);
}

/** @throws SyntaxError for a line with an operation that is not available for each weight. */
export function expectWritable(lines: readonly string[]): void {
  const expect = (expression: Expression, text: string): void => {
    if (expression.kind === "number" || expression.kind === "name") return;
    const name = expression.kind === "binary" ? expression.operator : expression.callee;
    const operands = expression.kind === "binary" ? [expression.left, expression.right] : expression.operands;
    if (name === "^" || (expression.kind === "call" && operandsOf[name] !== operands.length)) {
      throw new SyntaxError(`recipe line "${text}": no ${name} of ${operands.length} for each weight`);
    }
    for (const operand of operands) expect(operand, text);
  };
  for (const { condition, value, text } of lines.map(parseAssignment)) {
    for (const expression of [...(condition ? [condition.left, condition.right] : []), value])
      expect(expression, text);
  }
}

/** The names that lines read before assigning them, in order of appearance; with those in conditions if asked for. */
export function namesRead(lines: readonly string[], { conditions = true } = {}): string[] {
  const assigned = new Set<string>();
  const read = new Set<string>();
  for (const line of lines) {
    const { condition, target, value } = parseAssignment(line);
    for (const expression of [...(condition && conditions ? [condition.left, condition.right] : []), value]) {
      for (const name of namesIn(expression)) if (!assigned.has(name)) read.add(name);
    }
    assigned.add(target);
  }
  return [...read];
}

export function namesIn(expression: Expression): string[] {
  if (expression.kind === "name") return [expression.name];
  if (expression.kind === "binary") return [...namesIn(expression.left), ...namesIn(expression.right)];
  return expression.kind === "call" ? expression.operands.flatMap(namesIn) : [];
}
