/** A number as JSON can hold it: by its name where JSON has none for it. `Number()` of it is the number. */
export type Numeral = number | "NaN" | "Infinity" | "-Infinity" | "-0";

export function numeral(x: number): Numeral {
  if (Object.is(x, -0)) return "-0";
  return Number.isFinite(x) ? x : (String(x) as Numeral);
}
