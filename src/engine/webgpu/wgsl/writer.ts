import type { Rounding } from "../../../format/round.js";
import type { Lane } from "../../lane/lane.js";
import { bitsOf } from "../../lane/numbers.js";

/** A value of a WGSL function under construction: 32 bits, or a mask as a bool. */
export interface Wgsl {
  readonly text: string;
  readonly kind: "u32" | "bool";
  /** The bits, if known. */
  readonly constant?: number;
  /** Whether it is a normal power of two, or the product is not used. */
  readonly isPower?: boolean;
}

/** A u32 by its text: a name, or an expression in parentheses. */
export function u32(text: string): Wgsl {
  return { text, kind: "u32" };
}

function constant(bits: number): Wgsl {
  return { text: `${bits >>> 0}u`, kind: "u32", constant: bits >>> 0 };
}

/** 1 or -1; null if not a constant. */
function signOf({ constant }: Wgsl): 1 | -1 | null {
  if (constant === undefined) return null;
  return constant < 0x8000_0000 ? 1 : -1;
}

/** The value as u32: a mask has all bits set, or none. */
function bitsOfMask(x: Wgsl): string {
  return x.kind === "u32" ? x.text : `select(0u, 0xffffffffu, ${x.text})`;
}

/**
 * Writes the lines of a WGSL function: every operation appends a `let` and returns its name. Masks stay bools when
 * combined with masks, which compilers optimize better. Numbers are the bits of fp32, and their arithmetic is that
 * of {@link fp32Text}, on integers.
 */
export class WgslWriter implements Lane<Wgsl> {
  readonly #lines: string[] = [];
  readonly #prefix: string;
  #names = 0;

  /** @param prefix the prefix of names; they must differ if two texts share a scope. */
  constructor(prefix = "t") {
    this.#prefix = prefix;
  }

  /** The lines written so far. */
  get text(): string {
    return this.#lines.join("\n");
  }

  /** Gives a value a name, so that it is computed once. */
  let(x: Wgsl): Wgsl {
    const name = `${this.#prefix}${this.#names++}`;
    this.#lines.push(`let ${name} = ${x.text};`);
    return { text: name, kind: x.kind };
  }

  readonly #u32 = (text: string) => this.let(u32(text));
  readonly #bool = (text: string) => this.let({ text, kind: "bool" });
  readonly #unary = (name: string) => (a: Wgsl) => this.#u32(`${name}(${bitsOfMask(a)})`);
  readonly #binary = (name: string) => (a: Wgsl, b: Wgsl) =>
    this.#u32(`${name}(${bitsOfMask(a)}, ${bitsOfMask(b)})`);
  readonly #compare = (name: string) => (a: Wgsl, b: Wgsl) => this.#bool(`${name}(${a.text}, ${b.text})`);
  readonly #operator = (operator: string) => (a: Wgsl, b: Wgsl) =>
    this.#u32(`${bitsOfMask(a)} ${operator} ${bitsOfMask(b)}`);
  readonly #signed = (operator: string) => (a: Wgsl, b: Wgsl) =>
    this.#bool(`bitcast<i32>(${a.text}) ${operator} bitcast<i32>(${b.text})`);
  readonly #signedCall = (name: string) => (a: Wgsl, b: Wgsl) =>
    this.#u32(`bitcast<u32>(${name}(bitcast<i32>(${a.text}), bitcast<i32>(${b.text})))`);
  readonly #logical = (operator: string) => (a: Wgsl, b: Wgsl) =>
    a.kind === "bool" && b.kind === "bool"
      ? this.#bool(`${a.text} ${operator} ${b.text}`)
      : this.#operator(operator)(a, b);

  readonly v128 = {
    and: (a: Wgsl, b: Wgsl): Wgsl => {
      if (a.kind === "bool" && b.kind === "u32") return this.#u32(`select(0u, ${b.text}, ${a.text})`);
      if (a.kind === "u32" && b.kind === "bool") return this.#u32(`select(0u, ${a.text}, ${b.text})`);
      return this.#logical("&")(a, b);
    },
    or: this.#logical("|"),
    xor: (a: Wgsl, b: Wgsl) =>
      a.kind === "bool" && b.kind === "bool"
        ? this.#bool(`${a.text} != ${b.text}`)
        : this.#operator("^")(a, b),
    andnot: (a: Wgsl, b: Wgsl): Wgsl => {
      if (b.kind === "u32") return this.#u32(`${bitsOfMask(a)} & ~${b.text}`);
      return a.kind === "bool"
        ? this.#bool(`${a.text} & !${b.text}`)
        : this.#u32(`select(${a.text}, 0u, ${b.text})`);
    },
    not: (a: Wgsl) => (a.kind === "bool" ? this.#bool(`!${a.text}`) : this.#u32(`~${a.text}`)),
    select: (mask: Wgsl, a: Wgsl, b: Wgsl): Wgsl => {
      const [ofA, ofB] = [bitsOfMask(a), bitsOfMask(b)];
      return mask.kind === "bool"
        ? this.#u32(`select(${ofB}, ${ofA}, ${mask.text})`)
        : this.#u32(`(${ofA} & ${mask.text}) | (${ofB} & ~${mask.text})`);
    },
  };

  readonly i32x4 = {
    constant,
    add: this.#operator("+"),
    sub: this.#operator("-"),
    eq: (a: Wgsl, b: Wgsl) => this.#bool(`${a.text} == ${b.text}`),
    lt_u: (a: Wgsl, b: Wgsl) => this.#bool(`${a.text} < ${b.text}`),
    lt_s: this.#signed("<"),
    gt_s: this.#signed(">"),
    min_s: this.#signedCall("min"),
    max_s: this.#signedCall("max"),
    // WebAssembly takes the number of bits modulo 32.
    shl: (a: Wgsl, bits: number) => this.#u32(`${a.text} << ${bits % 32}u`),
    shr_u: (a: Wgsl, bits: number) => this.#u32(`${a.text} >> ${bits % 32}u`),
    shr_s: (a: Wgsl, bits: number) => this.#u32(`bitcast<u32>(bitcast<i32>(${a.text}) >> ${bits % 32}u)`),
    trunc_sat_f32x4_u: this.#unary("truncate32"),
  };

  readonly f32x4 = {
    constant: (x: number) => constant(bitsOf(x)),
    add: this.#binary("add32"),
    sub: (a: Wgsl, b: Wgsl) => this.#u32(`add32(${a.text}, ${b.text} ^ 0x80000000u)`),
    mul: (a: Wgsl, b: Wgsl) => {
      const { constant: bits, isPower = bits !== undefined && (bits & 0x807fffff) === 0 && bits !== 0 } = b;
      if (isPower) return this.#u32(`scale32(${a.text}, ${b.text})`);
      return this.#binary("mul32")(a, b);
    },
    div: this.#binary("div32"),
    sqrt: this.#unary("sqrt32"),
    neg: (a: Wgsl) => this.#u32(`${a.text} ^ 0x80000000u`),
    eq: this.#compare("eq32"),
    ne: (a: Wgsl, b: Wgsl) =>
      this.#bool(a.text === b.text ? `isNaN32(${a.text})` : `!eq32(${a.text}, ${b.text})`),
    gt: (a: Wgsl, b: Wgsl) => this.#bool(`lt32(${b.text}, ${a.text})`),
    ge: (a: Wgsl, b: Wgsl) => this.#bool(`lt32(${b.text}, ${a.text}) | eq32(${a.text}, ${b.text})`),
    // If b is a positive constant, the smaller number has the smaller bits as signed integers; if b is a negative
    // one, the larger number has the smaller bits as unsigned integers.
    pmin: (a: Wgsl, b: Wgsl) => (signOf(b) === 1 ? this.i32x4.min_s(a, b) : this.#binary("min32")(a, b)),
    pmax: (a: Wgsl, b: Wgsl) =>
      signOf(b) === -1 ? this.#u32(`min(${a.text}, ${b.text})`) : this.#binary("max32")(a, b),
    nearest: this.#unary("nearest32"),
    floor: this.#unary("floor32"),
    convert_i32x4_s: this.#unary("convert32"),
  };

  /** By shifts of a variable count, which take fewer operations than fp32 made of integers. */
  readonly roundToMultiple = (given: Wgsl, x: Wgsl, exponent: number, rounding: Rounding, random: Wgsl) => {
    const s = this.#u32(`significand32(${given.text})`);
    const drop = this.#u32(`${exponent + 150}u - exponent32(${given.text})`);
    // From 31 bits on nothing is left, and only stochastic rounding depends on how many more there are.
    const d = this.#u32(`min(${drop.text}, 31u)`);
    const below = this.#u32(`${s.text} >> ${d.text}`);
    const rest = this.#u32(`${s.text} - (${below.text} << ${d.text})`);
    const half = `(1u << (${d.text} - 1u))`;
    const negative = `(${x.text} >= 0x80000000u)`;
    const inexact = `(${rest.text} != 0u)`;
    const fraction = `select(${s.text} >> min(${drop.text} - 32u, 31u), ${rest.text} << ((32u - ${drop.text}) & 31u), ${drop.text} < 32u)`;
    const up: Readonly<Record<Rounding, string>> = {
      "nearest-even": `(${rest.text} + (${below.text} & 1u)) > ${half}`,
      "nearest-away": `${rest.text} >= ${half}`,
      "toward-zero": "false",
      "toward-positive": `${inexact} & !${negative}`,
      "toward-negative": `${inexact} & ${negative}`,
      "to-odd": `${inexact} & ((${below.text} & 1u) == 0u)`,
      stochastic: `(${fraction} + ${random.text}) < ${random.text}`,
    };
    const count = this.#u32(`${below.text} + select(0u, 1u, ${up[rounding]})`);
    // Normalizes the count of units.
    return this.#u32(`pack32(0u, ${exponent + 158}, ${count.text}, 0u)`);
  };

  /** The values of one side or the other, by a branch: a thread runs only one side. */
  branch(condition: string, then: () => readonly Wgsl[], otherwise: () => readonly Wgsl[]): readonly Wgsl[] {
    const sides = [then, otherwise].map((write) => {
      const first = this.#lines.length;
      const values = write();
      return { lines: this.#lines.splice(first), values };
    });
    const results = sides[0].values.map(() => u32(`${this.#prefix}${this.#names++}`));
    const [taken, other] = sides.map(({ lines, values }) => {
      const assigned = values.map((value, i) => `${results[i].text} = ${bitsOfMask(value)};`);
      return [...lines, ...assigned].join("\n");
    });
    for (const { text } of results) this.#lines.push(`var ${text}: u32;`);
    this.#lines.push(`if (${condition}) {\n${taken}\n} else {\n${other}\n}`);
    return results;
  }

  /** a b + c, rounded once. */
  readonly fma = (a: Wgsl, b: Wgsl, c: Wgsl) => this.#u32(`fma32(${a.text}, ${b.text}, ${c.text})`);
}
