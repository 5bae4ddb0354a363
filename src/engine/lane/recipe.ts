import { type Condition, type Expression, parseAssignment } from "../../update/recipe/expression.js";
import type { Lane } from "./lane.js";

/** a b + c, rounded once to fp32. Valid for finite operands. */
export type Fma<V> = (a: V, b: V, c: V) => V;

/**
 * Writes the lines of a recipe that are computed for each weight, on lanes of weights: update/recipe/compile.ts with
 * weightDialect, as instructions. New names are added to `values`.
 *
 * @param holds tells conditions, which must be the same for all weights and steps.
 * @throws SyntaxError for what no kernel needs yet: storage rounding, signs, powers.
 */
export function writeRecipe<V>(
  k: Lane<V>,
  fma: Fma<V>,
  lines: readonly string[],
  values: Map<string, V>,
  holds: (condition: Condition) => boolean,
): void {
  for (const line of lines) {
    const { condition, target, value, text } = parseAssignment(line);
    if (condition === null || holds(condition)) values.set(target, written(k, fma, value, values, text));
  }
}

/** Names that lines read before they assign them, in the order in which they appear. */
export function namesRead(lines: readonly string[]): string[] {
  const assigned = new Set<string>();
  const read = new Set<string>();
  for (const line of lines) {
    const { condition, target, value } = parseAssignment(line);
    for (const of of [...(condition ? [condition.left, condition.right] : []), value]) {
      for (const name of namesIn(of)) if (!assigned.has(name)) read.add(name);
    }
    assigned.add(target);
  }
  return [...read];
}

function namesIn(of: Expression): string[] {
  if (of.kind === "name") return [of.name];
  if (of.kind === "binary") return [...namesIn(of.left), ...namesIn(of.right)];
  return of.kind === "call" ? of.operands.flatMap(namesIn) : [];
}

function written<V>(
  k: Lane<V>,
  fma: Fma<V>,
  of: Expression,
  values: ReadonlyMap<string, V>,
  text: string,
): V {
  const { f32x4 } = k;
  const operand = (inner: Expression) => written(k, fma, inner, values, text);
  switch (of.kind) {
    case "number":
      return f32x4.constant(of.value);
    case "name": {
      const value = values.get(of.name);
      if (value === undefined) throw new SyntaxError(`recipe line "${text}": unknown name ${of.name}`);
      return value;
    }
    case "binary": {
      const operators = { "+": f32x4.add, "-": f32x4.sub, "*": f32x4.mul, "/": f32x4.div } as const;
      if (of.operator === "^") throw new SyntaxError(`recipe line "${text}": no ^ for each weight`);
      return operators[of.operator](operand(of.left), operand(of.right));
    }
    case "call": {
      const [a, b, c] = of.operands.map(operand);
      if (of.callee === "fma") return fma(a, b, c);
      if (of.callee === "sqrt") return f32x4.sqrt(a);
      if (of.callee === "negate") return f32x4.neg(a);
      throw new SyntaxError(`recipe line "${text}": no ${of.callee} in kernels`);
    }
  }
}
