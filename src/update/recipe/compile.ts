import {
  type Assignment,
  type BinaryOperator,
  type Condition,
  type Expression,
  parseAssignment,
} from "./expression.js";

/** The register file of a compiled recipe. */
export type Registers = Float64Array;
export type Evaluate = (registers: Registers) => number;

/** The semantics of a recipe's operators and calls. */
export interface Dialect {
  readonly operators: Readonly<Record<BinaryOperator, (a: number, b: number) => number>>;
  readonly calls: Readonly<Record<string, (...operands: number[]) => number>>;
}

/** Assigns names to registers, in order of appearance. */
export class Names {
  readonly #index = new Map<string, number>();

  of(name: string): number {
    const known = this.#index.get(name);
    if (known !== undefined) return known;
    this.#index.set(name, this.#index.size);
    return this.#index.size - 1;
  }

  has(name: string): boolean {
    return this.#index.has(name);
  }

  get size(): number {
    return this.#index.size;
  }
}

/**
 * Compiles lines of a recipe to one function over registers. Every name on a right-hand side must be known before or
 * assigned by an earlier line.
 *
 * @throws SyntaxError for a line that does not parse, an unknown name or an unknown call.
 */
export function compile(
  lines: readonly string[],
  names: Names,
  dialect: Dialect,
): (registers: Registers) => void {
  const steps = lines.map((line) => compileLine(parseAssignment(line), names, dialect));
  return (registers) => {
    for (const step of steps) step(registers);
  };
}

function compileLine(line: Assignment, names: Names, dialect: Dialect): (registers: Registers) => void {
  const value = compileExpression(line.value, line.text, names, dialect);
  const holds = line.condition && compileCondition(line.condition, line.text, names, dialect);
  const target = names.of(line.target);
  return (registers) => {
    if (holds === null || holds(registers)) registers[target] = value(registers);
  };
}

function compileCondition(
  { comparison, left, right }: Condition,
  text: string,
  names: Names,
  dialect: Dialect,
) {
  const a = compileExpression(left, text, names, dialect);
  const b = compileExpression(right, text, names, dialect);
  if (comparison === "<") return (registers: Registers) => a(registers) < b(registers);
  if (comparison === ">=") return (registers: Registers) => a(registers) >= b(registers);
  return (registers: Registers) => a(registers) !== b(registers);
}

function compileExpression(expression: Expression, text: string, names: Names, dialect: Dialect): Evaluate {
  const compiled = (term: Expression) => compileExpression(term, text, names, dialect);
  switch (expression.kind) {
    case "number": {
      const { value } = expression;
      return () => value;
    }
    case "name": {
      if (!names.has(expression.name))
        throw new SyntaxError(`recipe line "${text}": unknown name ${expression.name}`);
      const register = names.of(expression.name);
      return (registers) => registers[register];
    }
    case "binary": {
      const operate = dialect.operators[expression.operator];
      const [left, right] = [compiled(expression.left), compiled(expression.right)];
      return (registers) => operate(left(registers), right(registers));
    }
    case "call": {
      const call = dialect.calls[expression.callee];
      if (!call || call.length !== expression.operands.length) {
        throw new SyntaxError(
          `recipe line "${text}": no ${expression.callee} of ${expression.operands.length}`,
        );
      }
      const [a, b, c] = expression.operands.map(compiled);
      if (!b) return (registers) => call(a(registers));
      if (!c) return (registers) => call(a(registers), b(registers));
      return (registers) => call(a(registers), b(registers), c(registers));
    }
  }
}
