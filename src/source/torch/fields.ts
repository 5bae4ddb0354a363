import type { PickleRecord, PickleValue } from "./unpickler.js";
import { isRecord } from "./unpickler.js";

/** A field of a record whose state is a dictionary; undefined if there is none. */
export function field(value: PickleValue | undefined, name: string): PickleValue | undefined {
  if (value === undefined || !isRecord(value) || !(value.state instanceof Map)) return undefined;
  return value.state.get(name);
}

/** Whether a value is a record of the class with this last part of the name. */
export function isA(value: PickleValue | undefined, name: string): value is PickleRecord {
  return value !== undefined && isRecord(value) && value.record.endsWith(` ${name}`);
}

export function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function areSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
