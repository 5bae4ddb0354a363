import { InputError, quote } from "../input-error.js";

/** The supported values of a pickle: plain values, and those created by {@link Globals}. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | PickleRecord
  | object;

export type PickleDict = Map<PickleValue, PickleValue>;

/** An instance of a class: the class's name, arguments and state. No code of the class is run. */
export interface PickleRecord {
  readonly record: string;
  readonly arguments: readonly PickleValue[];
  state: PickleValue;
}

/** The allowed globals of a pickle, as "module name". All others are rejected. */
export interface Globals {
  /** Functions that return a value from their arguments, or undefined for unsupported arguments. */
  readonly functions: Readonly<Record<string, (...args: PickleValue[]) => PickleValue | undefined>>;
  /** Classes whose instances become records. */
  readonly records: ReadonlySet<string>;
  /** The value of a global that is neither a function nor a class, or undefined. */
  constant(name: string): PickleValue | undefined;
  /** The value of a persistent id, or undefined. */
  persistent(id: PickleValue): PickleValue | undefined;
}

/** A global on the stack, to be called. */
class Named {
  constructor(readonly name: string) {}
}

const mark = Symbol("mark");
type Slot = PickleValue | typeof mark;

/** The maximum length of integers in bytes; sizes and seeds are shorter. */
const longestInteger = 256;

/** The pickle machine: a stack and a memo. */
export class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #globals: Globals;
  readonly #name: string;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(bytes: Uint8Array, globals: Globals, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#globals = globals;
    this.#name = name;
  }

  /** The position of the next byte. */
  get at(): number {
    return this.#at;
  }

  damaged(expected: string, found: string): InputError {
    return new InputError(this.#name, expected, found);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    return this.#pop();
  }

  top(): PickleValue {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  /** Pops all values above the last mark, and the mark. */
  popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.damaged("a mark", "none");
    const values = this.#stack.splice(at + 1) as PickleValue[];
    this.#stack.pop();
    return values;
  }

  popMany(count: number): PickleValue[] {
    const values = Array.from({ length: count }, () => this.#pop());
    return values.reverse();
  }

  unsigned(bytes: 1 | 2 | 4): number {
    const at = this.#take(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  signed32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  length64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  slice(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(length: number): string {
    return new TextDecoder().decode(this.slice(length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.damaged("the end of a line", "the end of the pickle");
    const text = this.text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  /** A little-endian two's complement integer. */
  integer(length: number): number | bigint {
    if (length > longestInteger)
      throw this.damaged(`integers of at most ${longestInteger} bytes`, `one of ${length}`);
    let value = 0n;
    for (const byte of this.slice(length).toReversed()) value = (value << 8n) | BigInt(byte);
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.#memo.set(this.#memo.size, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.damaged(`memo ${index}`, "none");
    this.#stack.push(value);
  }

  global(module: PickleValue, name: PickleValue): void {
    const full = `${module} ${name}`;
    const { functions, records, constant } = this.#globals;
    const known = Object.hasOwn(functions, full) || records.has(full);
    const value = known ? new Named(full) : constant(full);
    if (value === undefined) {
      const dotted = quote(`${module}.${name}`);
      throw this.damaged("tensors and plain values", `${dotted}, which would run code; nothing was run`);
    }
    this.#stack.push(value);
  }

  persistent(): void {
    const value = this.#globals.persistent(this.#pop());
    if (value === undefined) throw this.damaged("storages of tensors", "another persistent id");
    this.#stack.push(value);
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    this.#stack.push(this.#call(callee, args));
  }

  newObject(): void {
    const [callee, args] = this.popMany(2);
    if (!(callee instanceof Named) || !Array.isArray(args))
      throw this.damaged("a class and its arguments", "something else");
    this.#stack.push(this.#call(callee, args));
  }

  build(): void {
    const [instance, state] = this.popMany(2);
    if (isRecord(instance)) instance.state = state;
    // The state of an OrderedDict or a tensor is ignored: it does not affect numbers.
    else if (!(instance instanceof Map) && (typeof instance !== "object" || instance === null))
      throw this.damaged("a record to fill", "something else");
    this.#stack.push(instance);
  }

  /** Calls a function; one of its arguments may be the name of a function. */
  #call(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof Named) || !Array.isArray(args))
      throw this.damaged("a function and its arguments", "something else");
    if (this.#globals.records.has(callee.name)) return { record: callee.name, arguments: args, state: null };
    // torch._tensor._rebuild_from_type_v2 calls the function passed to it.
    const [inner, , innerArgs, state] = args;
    if (callee.name === "torch._tensor _rebuild_from_type_v2" && inner instanceof Named) {
      const value = this.#call(inner, innerArgs);
      if (isRecord(value)) value.state = state;
      return value;
    }
    const value = this.#globals.functions[callee.name](
      ...args.map((arg) => (arg instanceof Named ? arg.name : arg)),
    );
    if (value === undefined)
      throw this.damaged(`the arguments of ${callee.name.replace(" ", ".")}`, "others");
    return value;
  }

  #take(length: number): number {
    const at = this.#at;
    if (!(length <= this.#bytes.length - at)) {
      throw this.damaged(`a pickle of ${this.#bytes.length} bytes`, "one that goes on beyond its end");
    }
    this.#at += length;
    return at;
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.damaged("a value", "none");
    return value as PickleValue;
  }
}

export function isRecord(value: PickleValue): value is PickleRecord {
  return typeof value === "object" && value !== null && "record" in value;
}
