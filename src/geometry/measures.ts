import type { Expectation, Measure, MeasureName, NullName } from "../lens/geometry-result.js";

export interface MeasureExtras {
  readonly deviation?: number;
  readonly others?: readonly Expectation[];
}

/** @param by the null that expects `expected`. */
export function measure(
  measured: number,
  by: NullName,
  expected: number,
  extras: MeasureExtras = {},
): Measure {
  if (!Number.isFinite(measured)) return unknown("it is not a finite number");
  if (!Number.isFinite(expected)) return alone(measured, "its expectation is not a finite number");
  const { deviation, others } = extras;
  return {
    measured,
    expected,
    null: by,
    ratio: expected > 0 ? measured / expected : null,
    ...(deviation !== undefined && { deviation }),
    ...(others !== undefined && { others }),
  };
}

/** Measured, without an expectation. */
export function alone(measured: number, reason: string): Measure {
  return { measured, expected: null, null: null, ratio: null, reason };
}

export function unknown(reason: string): Measure {
  return { measured: null, expected: null, null: null, ratio: null, reason };
}

/** The same reason for every measure of a list. */
export function allUnknown<N extends MeasureName>(names: readonly N[], reason: string): Record<N, Measure> {
  return Object.fromEntries(names.map((name) => [name, unknown(reason)])) as Record<N, Measure>;
}
