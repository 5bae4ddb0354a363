import { stepFloat32, stepFloat64 } from "./bits.js";
import { type OracleFormat, valueTable } from "./oracle-formats.js";

/**
 * The positive inputs at which a rounding to a small format can change its mind: every number of the format, every
 * midpoint, each with its fp32 and fp64 neighbours, and the region around overflow. Numbers and midpoints of the
 * small formats are fp32 numbers.
 */
export function criticalPoints(format: OracleFormat): Float64Array {
  const { values } = valueTable(format);
  const points = new Float64Array(values.length * 10 + 10);
  let count = 0;
  const addWithNeighbours = (center: number): void => {
    points[count++] = center;
    points[count++] = Math.abs(stepFloat32(center, -1));
    points[count++] = stepFloat32(center, 1);
    points[count++] = Math.abs(stepFloat64(center, -1));
    points[count++] = stepFloat64(center, 1);
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
