import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parameterCount, parameters } from "../../src/learn/decoder/shape.js";
import { readTensors } from "../support/recorded.js";

/** A file of test/data. */
export const data = (path: string) => fileURLToPath(new URL(`../data/${path}`, import.meta.url));

/** The numbers of a trusted safetensors file by name. */
export function numbersIn(path: string): Map<string, Float64Array> {
  return new Map(
    readTensors(path).map(({ name, dtype, data: view }) => {
      const bytes = Uint8Array.from(view as Uint8Array).buffer;
      if (dtype === "F64") return [name, new Float64Array(bytes)];
      if (dtype === "F32") return [name, Float64Array.from(new Float32Array(bytes))];
      if (dtype === "I32") return [name, Float64Array.from(new Int32Array(bytes))];
      const words = Uint32Array.from(new Uint16Array(bytes), (code) => code * 2 ** 16);
      return [name, Float64Array.from(new Float32Array(words.buffer))];
    }),
  );
}

/** All parameters of a model in their order. */
export function modelIn(path: string): Float64Array {
  const tensors = numbersIn(path);
  const row = new Float64Array(parameterCount);
  for (const { name, at } of parameters) row.set(tensors.get(name)!, at);
  return row;
}

export function metadataOf(path: string): Record<string, string> {
  const file = readFileSync(path);
  return JSON.parse(file.toString("utf8", 8, 8 + Number(file.readBigUInt64LE(0)))).__metadata__;
}
