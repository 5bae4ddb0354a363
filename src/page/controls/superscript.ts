/** An exponent as it stands beside its base: ⁻¹². */
export function superscript(n: number): string {
  return String(n).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
}
