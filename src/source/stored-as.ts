import { type Rounding, rounding as roundingNamed } from "../format/round.js";
import { originOf } from "../lens/input.js";
import { type SchemeName, schemeNames } from "../update/scheme.js";
import { InputError, quote } from "./input-error.js";
import type { Recording } from "./recording.js";

/** The storage of weights, as stated by a recording. */
export interface StoredAs {
  /** From the metadata, preferably of the updates; null if not stated. */
  readonly format: string | null;
  readonly scheme: SchemeName | null;
  readonly rounding: Rounding | null;
  /** The format of all counted weights in the file; null if there are several. */
  readonly dtype: string | null;
}

/**
 * What `format`, `scheme` and `rounding` in the metadata say, or `stored_as`, all three in one: "bf16 in-place nearest-even", as
 * `learn --record` writes it.
 *
 * @throws InputError if the metadata name an unknown scheme or rounding.
 */
export function storedAs({ tensors, metadata, paths }: Recording): StoredAs {
  const fieldOf = (name: string) => metadata.updates.get(name) ?? metadata.weights.get(name) ?? null;
  const together = fieldOf("stored_as")?.trim().split(/\s+/) ?? [];
  const told = (name: (typeof inOrder)[number]) => fieldOf(name) ?? together[inOrder.indexOf(name)] ?? null;
  const name = told("scheme");
  const scheme = schemeNames.find((known) => known === name) ?? null;
  if (name !== null && scheme === null) {
    throw new InputError(paths.updates, `a scheme in its metadata (${schemeNames.join(", ")})`, quote(name));
  }
  const [dtype = null, ...others] = new Set(
    tensors.map(({ weights }) => originOf(weights, "stored")?.format.name ?? null),
  );
  return {
    format: told("format"),
    scheme,
    rounding: roundingOf(told("rounding"), paths.updates),
    dtype: others.length === 0 ? dtype : null,
  };
}

const inOrder = ["format", "scheme", "rounding"] as const;

function roundingOf(name: string | null, path: string): Rounding | null {
  if (name === null) return null;
  try {
    return roundingNamed(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(path, "a rounding in its metadata", quote(name));
  }
}
