import { originOf } from "../lens/input.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import { InputError, quote } from "./input-error.js";
import type { Recording } from "./recording.js";

/** The storage of weights, as stated by a recording. */
export interface StoredAs {
  /** From the metadata, preferably of the updates; null if not stated. */
  readonly format: string | null;
  readonly scheme: SchemeName | null;
  /** The format of all counted weights in the file; null if there are several. */
  readonly dtype: string | null;
}

/** @throws InputError if the metadata name an unknown scheme. */
export function storedAs({ tensors, metadata, paths }: Recording): StoredAs {
  const told = (name: string) => metadata.updates.get(name) ?? metadata.weights.get(name) ?? null;
  const name = told("scheme");
  const scheme = schemeNames.find((known) => known === name) ?? null;
  if (name !== null && scheme === null) {
    throw new InputError(paths.updates, `a scheme in its metadata (${schemeNames.join(", ")})`, quote(name));
  }
  const [dtype = null, ...others] = new Set(
    tensors.map(({ weights }) => originOf(weights, "stored")?.format.name ?? null),
  );
  return { format: told("format"), scheme, dtype: others.length === 0 ? dtype : null };
}
