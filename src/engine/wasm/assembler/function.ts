import {
  binary,
  laneLoads,
  loads,
  reductions,
  scalars,
  shifts,
  signed,
  simdPrefix,
  stores,
  unary,
  unsigned,
} from "./instructions.js";

export type Type = "i32" | "i64" | "f64" | "v128";

/** Codes of the types (section 5.3.1). */
export const typeCodes: Readonly<Record<Type, number>> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };

/** A value of a function under construction, held in its own local. */
export interface Value<T extends Type> {
  readonly type: T;
  readonly local: number;
}
export type I32 = Value<"i32">;
export type I64 = Value<"i64">;
export type F64 = Value<"f64">;
export type V128 = Value<"v128">;

const voidBlock = 0x40;

/**
 * A WebAssembly function under construction. Each method appends an instruction and returns its result in a new local,
 * so that the source of a kernel reads like arithmetic and is evaluated in source order. Compilers keep such locals in
 * registers.
 */
export class FunctionWriter {
  readonly #parameters: readonly Type[];
  readonly #locals: Type[] = [];
  readonly #constants = new Map<string, V128>();
  /** Sets the constants at the start of the function, outside every loop. */
  readonly #prelude: number[] = [];
  readonly #code: number[] = [];

  readonly v128 = {
    ...this.#unary(unary.v128),
    ...this.#binary(binary.v128),
    ...this.#reduction(reductions.v128),
    /** Bits of `a` where the mask has ones, of `b` elsewhere. */
    select: (mask: V128, a: V128, b: V128) => this.#append("v128", [a, b, mask], simd(0x52)),
  };
  readonly i8x16 = {
    ...this.#binary(binary.i8x16),
    ...this.#reduction(reductions.i8x16),
    /** Bytes of a (0 to 15) and b (16 to 31), chosen by index. */
    shuffle: (a: V128, b: V128, lanes: readonly number[]) =>
      this.#append("v128", [a, b], [...simd(0x0d), ...lanes]),
  };
  readonly i16x8 = {
    ...this.#unary(unary.i16x8),
    ...this.#binary(binary.i16x8),
    ...this.#shift(shifts.i16x8),
    ...this.#reduction(reductions.i16x8),
    constant: (x: number) => this.#constant(Int16Array.of(x, x, x, x, x, x, x, x)),
    lane_u: (a: V128, lane: number) => this.#append("i32", [a], [...simd(0x19), lane]),
  };
  readonly i32x4 = {
    ...this.#unary(unary.i32x4),
    ...this.#binary(binary.i32x4),
    ...this.#shift(shifts.i32x4),
    splat: (x: I32) => this.#append("v128", [x], simd(0x11)),
    lane: (a: V128, lane: number) => this.#append("i32", [a], [...simd(0x1b), lane]),
    constant: (x: number) => this.#constant(Int32Array.of(x, x, x, x)),
    constants: (a: number, b: number, c: number, d: number) => this.#constant(Int32Array.of(a, b, c, d)),
  };
  readonly i64x2 = {
    ...this.#binary(binary.i64x2),
    ...this.#shift(shifts.i64x2),
    ...this.#reduction(reductions.i64x2),
    constant: (x: bigint) => this.#constant(BigInt64Array.of(x, x)),
  };
  readonly f32x4 = {
    ...this.#unary(unary.f32x4),
    ...this.#binary(binary.f32x4),
    constant: (x: number) => this.#constant(Float32Array.of(x, x, x, x)),
  };
  readonly f64x2 = {
    ...this.#unary(unary.f64x2),
    ...this.#binary(binary.f64x2),
    splat: (x: F64) => this.#append("v128", [x], simd(0x14)),
    constant: (x: number) => this.#constant(Float64Array.of(x, x)),
    lane: (a: V128, lane: 0 | 1) => this.#append("f64", [a], [...simd(0x21), ...[lane]]),
  };
  readonly i32 = {
    ...this.#scalar("i32", scalars.i32),
    constant: (x: number) => this.#append("i32", [], [0x41, ...signed(x | 0)]),
    wrap: (x: I64) => this.#append("i32", [x], [0xa7]),
    popcnt: (x: I32) => this.#append("i32", [x], [0x69]),
    clz: (x: I32) => this.#append("i32", [x], [0x67]),
    ctz: (x: I32) => this.#append("i32", [x], [0x68]),
    /** `a` unless the condition is zero, else `b`, without a branch. */
    select: (condition: I32, a: I32, b: I32) => this.#append("i32", [a, b, condition], [0x1b]),
  };
  readonly i64 = {
    ...this.#scalar("i64", scalars.i64),
    extend: (x: I32) => this.#append("i64", [x], [0xad]),
    popcnt: (x: I64) => this.#append("i64", [x], [0x7b]),
    reinterpret: (x: F64) => this.#append("i64", [x], [0xbd]),
  };
  readonly f64 = { add: (a: F64, b: F64) => this.#append("f64", [a, b], [0xa0]) };

  readonly #indexOf: (name: string) => number;

  /** @param indexOf finds functions of the same module by name. */
  constructor(parameters: readonly Type[], indexOf: (name: string) => number) {
    this.#parameters = parameters;
    this.#indexOf = indexOf;
  }

  parameter<T extends Type>(index: number, type: T): Value<T> {
    if (this.#parameters[index] !== type) throw new Error(`parameter ${index} is no ${type}`);
    return { type, local: index };
  }

  /** A local that {@link assign} changes; zero at first. */
  variable<T extends Type>(type: T): Value<T> {
    this.#locals.push(type);
    return { type, local: this.#parameters.length + this.#locals.length - 1 };
  }

  /** A new variable with a value. */
  variableOf<T extends Type>(value: Value<T>): Value<T> {
    const variable = this.variable(value.type);
    this.assign(variable, value);
    return variable;
  }

  assign<T extends Type>(variable: Value<T>, value: Value<T>): void {
    this.#get(value);
    this.#code.push(0x21);
    this.#unsigned(variable.local);
  }

  /** Reads memory at pointer + offset, aligned or not. */
  load<N extends keyof typeof loads>(name: N, pointer: I32, offset = 0): Value<(typeof loads)[N]["type"]> {
    const { type, code } = loads[name];
    return this.#append(type, [pointer], [...code, 0, ...unsigned(offset)]);
  }

  /** `into` with a lane read from memory at pointer + offset. */
  loadLane(name: keyof typeof laneLoads, into: V128, lane: number, pointer: I32, offset = 0): V128 {
    return this.#append("v128", [pointer, into], [...simd(laneLoads[name]), 0, ...unsigned(offset), lane]);
  }

  store(name: keyof typeof stores, value: Value<Type>, pointer: I32, offset = 0): void {
    this.#get(pointer);
    this.#get(value);
    this.#code.push(...stores[name], 0, ...unsigned(offset));
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#get(condition);
    this.#code.push(0x04, voidBlock);
    then();
    if (otherwise) {
      this.#code.push(0x05);
      otherwise();
    }
    this.#code.push(0x0b);
  }

  /** Calls a function without results. */
  call(name: string, ...operands: readonly Value<Type>[]): void {
    for (const operand of operands) this.#get(operand);
    this.#code.push(0x10, ...unsigned(this.#indexOf(name)));
  }

  /** Runs `body` for i = from, from + step, ... while i < to (unsigned). */
  loop(from: I32, to: I32, step: number, body: (i: I32) => void): void {
    const i = this.variable("i32");
    this.assign(i, from);
    this.if(this.i32.lt_u(i, to), () => {
      this.#code.push(0x03, voidBlock);
      body(i);
      this.assign(i, this.i32.add(i, step));
      this.#get(this.i32.lt_u(i, to));
      this.#code.push(0x0d, 0, 0x0b);
    });
  }

  /** Repeats `body` until the condition that it returns is zero. */
  repeat(body: () => I32): void {
    this.#code.push(0x03, voidBlock);
    this.#get(body());
    this.#code.push(0x0d, 0, 0x0b);
  }

  /** The body as encoded in the code section (section 5.5.13). */
  bytes(): readonly number[] {
    const head = [...unsigned(this.#locals.length), ...this.#locals.flatMap((type) => [1, typeCodes[type]])];
    const length = head.length + this.#prelude.length + this.#code.length + 1;
    // flat() takes 2 ms for the body of a step, this takes microseconds.
    return unsigned(length).concat(head, this.#prelude, this.#code, 0x0b);
  }

  /** Appends operands and an instruction whose result goes into a new local. */
  #append<T extends Type>(
    type: T,
    operands: readonly Value<Type>[],
    instruction: readonly number[],
  ): Value<T> {
    const result = this.variable(type);
    for (const operand of operands) this.#get(operand);
    this.#code.push(...instruction, 0x21);
    this.#unsigned(result.local);
    return result;
  }

  #get({ local }: Value<Type>): void {
    this.#code.push(0x20);
    this.#unsigned(local);
  }

  /** Like {@link unsigned}, but appends: most of the code is indices of locals. */
  #unsigned(value: number): void {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) this.#code.push((rest & 127) | 128);
    this.#code.push(rest);
  }

  #constant(lanes: Int16Array | Int32Array | Float32Array | Float64Array | BigInt64Array): V128 {
    const words = new Int32Array(lanes.buffer);
    const key = words.join();
    const known = this.#constants.get(key);
    if (known) return known;
    const constant = this.variable("v128");
    this.#prelude.push(simdPrefix, ...unsigned(0x0c), ...new Uint8Array(lanes.buffer));
    this.#prelude.push(0x21, ...unsigned(constant.local));
    this.#constants.set(key, constant);
    return constant;
  }

  #unary<K extends string>(opcodes: Readonly<Record<K, number>>) {
    return mapped(opcodes, (opcode) => (a: V128) => this.#append("v128", [a], simd(opcode)));
  }

  #binary<K extends string>(opcodes: Readonly<Record<K, number>>) {
    return mapped(opcodes, (opcode) => (a: V128, b: V128) => this.#append("v128", [a, b], simd(opcode)));
  }

  #shift<K extends string>(opcodes: Readonly<Record<K, number>>) {
    return mapped(
      opcodes,
      (opcode) => (a: V128, bits: number) =>
        this.#append("v128", [a], [0x41, ...signed(bits), ...simd(opcode)]),
    );
  }

  #reduction<K extends string>(opcodes: Readonly<Record<K, number>>) {
    return mapped(opcodes, (opcode) => (a: V128) => this.#append("i32", [a], simd(opcode)));
  }

  /** The second operand of an integer instruction may be a number. */
  #scalar<T extends "i32" | "i64", K extends string>(type: T, opcodes: Readonly<Record<K, number>>) {
    const constant = type === "i32" ? 0x41 : 0x42;
    return mapped(opcodes, (opcode) => (a: Value<T>, b: Value<T> | number): Value<T> => {
      if (typeof b !== "number") return this.#append(type, [a, b], [opcode]);
      return this.#append(type, [a], [constant, ...signed(b), opcode]);
    });
  }
}

function simd(opcode: number): number[] {
  return [simdPrefix, ...unsigned(opcode)];
}

function mapped<K extends string, F>(opcodes: Readonly<Record<K, number>>, method: (opcode: number) => F) {
  const entries = Object.entries<number>(opcodes).map(([name, opcode]) => [name, method(opcode)]);
  return Object.fromEntries(entries) as Readonly<Record<K, F>>;
}
