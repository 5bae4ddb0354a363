/** A name beside a file, for what is to take its place when it is whole. Nobody else has it. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(-12)}.tmp`;
}
