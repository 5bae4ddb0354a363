/**
 * The language of optimizer recipes: `name = expression`, optionally with a condition (`wd != 0: p = R(p *
 * decay)`). Numbers, names, + - * / ^, parentheses, calls.
 */

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "call"; readonly callee: string; readonly operands: readonly Expression[] };

export type BinaryOperator = "+" | "-" | "*" | "/" | "^";

export interface Condition {
  readonly comparison: "<" | ">=" | "!=";
  readonly left: Expression;
  readonly right: Expression;
}

export interface Assignment {
  readonly target: string;
  readonly value: Expression;
  readonly condition: Condition | null;
  /** The source line. */
  readonly text: string;
}

/** @throws SyntaxError naming the line and what was expected. */
export function parseAssignment(text: string): Assignment {
  const parser = new Parser(text);
  const condition = text.includes(":") ? parser.condition() : null;
  const target = parser.name();
  parser.expect("=");
  const value = parser.sum();
  parser.end();
  return { target, value, condition, text };
}

const token = /\s*(?:(\d+(?:\.\d+)?(?:e-?\d+)?)|([A-Za-z]\w*)|(!=|>=|[-+*/^()=<,:]))/y;

class Parser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    token.lastIndex = 0;
    while (token.lastIndex < text.length) {
      const match = token.exec(text);
      if (!match) throw new SyntaxError(`recipe line "${text}": unexpected character`);
      this.#tokens.push(match[1] ?? match[2] ?? match[3]);
    }
  }

  condition(): Condition {
    const left = this.sum();
    const comparison = this.#take();
    if (comparison !== "<" && comparison !== ">=" && comparison !== "!=")
      this.#fail("< or >= or !=", comparison);
    const right = this.sum();
    this.expect(":");
    return { comparison, left, right };
  }

  sum(): Expression {
    let left = this.#product();
    for (let next = this.#peek(); next === "+" || next === "-"; next = this.#peek()) {
      this.#take();
      left = { kind: "binary", operator: next, left, right: this.#product() };
    }
    return left;
  }

  #product(): Expression {
    let left = this.#power();
    for (let next = this.#peek(); next === "*" || next === "/"; next = this.#peek()) {
      this.#take();
      left = { kind: "binary", operator: next, left, right: this.#power() };
    }
    return left;
  }

  #power(): Expression {
    const left = this.#primary();
    if (this.#peek() !== "^") return left;
    this.#take();
    return { kind: "binary", operator: "^", left, right: this.#primary() };
  }

  #primary(): Expression {
    const next = this.#take();
    if (next === "(") {
      const inner = this.sum();
      this.expect(")");
      return inner;
    }
    if (next === "-") return { kind: "call", callee: "negate", operands: [this.#primary()] };
    if (/^\d/.test(next)) return { kind: "number", value: Number(next) };
    if (!/^[A-Za-z]/.test(next)) this.#fail("a number, a name or (", next);
    if (this.#peek() !== "(") return { kind: "name", name: next };
    this.#take();
    const operands = [this.sum()];
    while (this.#peek() === ",") {
      this.#take();
      operands.push(this.sum());
    }
    this.expect(")");
    return { kind: "call", callee: next, operands };
  }

  name(): string {
    const next = this.#take();
    if (!/^[A-Za-z]/.test(next)) this.#fail("a name", next);
    return next;
  }

  expect(expected: string): void {
    const next = this.#take();
    if (next !== expected) this.#fail(expected, next);
  }

  end(): void {
    if (this.#at < this.#tokens.length) this.#fail("the end", this.#tokens[this.#at]);
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? this.#fail("more", "the end");
  }

  #fail(expected: string, found: string): never {
    throw new SyntaxError(`recipe line "${this.#text}": expected ${expected}, found ${found}`);
  }
}
