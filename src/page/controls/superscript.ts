/** An exponent in superscript digits: ⁻¹². */
export function superscript(n: number): string {
  return String(n).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
}
