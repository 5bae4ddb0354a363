import { FunctionWriter, type Type, typeCodes } from "./function.js";
import { unsigned } from "./instructions.js";

export interface ExportedFunction {
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly write: (to: FunctionWriter) => void;
}

/** Sizes of a memory in pages of 64 KiB. */
export interface MemorySize {
  readonly pages: number;
  readonly shared: boolean;
}

export const pageBytes = 65536;

/** The binary of a module that imports the memory `host.memory` and exports functions without results (section 5.5). */
export function moduleBytes(
  memory: MemorySize,
  functions: readonly ExportedFunction[],
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(parameters.map((type) => [typeCodes[type]])),
    0,
  ]);
  const limits = [memory.shared ? 3 : 1, ...unsigned(memory.pages), ...unsigned(memory.pages)];
  const imported = [...name("host"), ...name("memory"), 2, ...limits];
  const exported = functions.map((exportedFunction, i) => [
    ...name(exportedFunction.name),
    0,
    ...unsigned(i),
  ]);
  const indexOf = (called: string) => {
    const index = functions.findIndex(({ name }) => name === called);
    if (index < 0) throw new Error(`no function ${called}`);
    return index;
  };
  const bodies = functions.map(({ parameters, write }) => {
    const writer = new FunctionWriter(parameters, indexOf);
    write(writer);
    return writer.bytes();
  });
  const code = bodies.reduce((length, body) => length + body.length, 0);
  const count = unsigned(functions.length);
  return joined([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, vector(types)),
    section(2, vector([imported])),
    section(3, vector(functions.map((_, i) => unsigned(i)))),
    section(7, vector(exported)),
    [10, ...unsigned(count.length + code), ...count],
    ...bodies,
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

/** Concatenates bytes; functions have too many to spread as arguments. */
function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function name(text: string): number[] {
  return vector([...new TextEncoder().encode(text)].map((byte) => [byte]));
}
