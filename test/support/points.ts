import { stepFloat32, stepFloat64 } from "./bits.js";
import { type OracleFormat, valueTable } from "./oracle-formats.js";
import { sized } from "./tier.js";

/** The number a given number of steps from another, in one of the input formats. */
export type StepTo = (x: number, places: number) => number;

/** The fp64 neighbours are the harder ones. */
const neighbours: readonly StepTo[] = sized({ quick: [stepFloat64], full: [stepFloat32, stepFloat64] });

/**
 * The positive inputs at which the result of rounding to a small format can change: every number of the format, every
 * midpoint, each with its neighbours, and the region around overflow. Numbers and midpoints of the small formats are
 * fp32 numbers.
 */
export function criticalPoints(format: OracleFormat, steps: readonly StepTo[] = neighbours): Float64Array {
  const { values } = valueTable(format);
  const points = new Float64Array(2 * values.length * (1 + 2 * steps.length) + 8);
  let count = 0;
  const addWithNeighbours = (center: number): void => {
    points[count++] = center;
    for (const step of steps) {
      points[count++] = Math.abs(step(center, -1));
      points[count++] = step(center, 1);
    }
  };
  for (let i = 0; i < values.length; i++) {
    addWithNeighbours(values[i]!);
    if (i + 1 < values.length) addWithNeighbours((values[i]! + values[i + 1]!) / 2);
  }
  const next = values[values.length - 1]!;
  for (const x of [next * 1.5, next * 2, 2 ** 200, 1e308, Number.MAX_VALUE, Infinity, 2 ** -1022, 1e-310]) {
    points[count++] = x;
  }
  return points.subarray(0, count);
}
