/**
 * How far the noise of stochastic rounding takes `end.retained` from its expectation, one standard error; null under other
 * roundings, and where the noise is unknown. What is retained is 1 + <c - D, D> / <D, D>, c being the displacement of weight plus
 * carrier. The errors c - D are drawn for each weight by itself, so this has the variance ||c - D||^2 / (n ||D||^2). What a
 * carrier holds is no error: a master has none.
 *
 * @param noise ||c - D|| / ||D||, `end.noise`.
 */
export function noiseError(noise: number | null, rounding: string, weights: number): number | null {
  return rounding !== "stochastic" || noise === null ? null : noise / Math.sqrt(weights);
}
