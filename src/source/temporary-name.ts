/** A unique name in the folder of a file, to replace it atomically. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(-12)}.tmp`;
}
