/** A unique name next to a file, for its complete replacement. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(-12)}.tmp`;
}
