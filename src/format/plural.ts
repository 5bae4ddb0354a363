/** A count with its noun: "1 byte", "2 bytes". */
export function plural(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
