import type { Format } from "../format/format.js";
import { type Opmath, opmaths, type ResultRounding } from "../format/operations.js";
import { formatOf } from "../format/registry.js";
import {
  type Overflow,
  overflows,
  type Rounding,
  rounding as roundingNamed,
  type ShortRounding,
} from "../format/round.js";
import { unknownName } from "../format/unknown-name.js";
import { type SchemeName, schemes } from "./scheme.js";

/** Complete settings of how weights take updates. */
export interface UpdateSettings extends ResultRounding {
  readonly scheme: SchemeName;
  /** Seed of the random bits of stochastic rounding: an integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /** Tell these settings from those of a recipe, and from those of weights that share scales. */
  readonly recipe?: undefined;
  readonly blocks?: undefined;
}

/**
 * {@link UpdateSettings} as passed by a caller: format names and short rounding names; only the format is
 * required.
 */
export interface UpdateOptions {
  readonly format: Format | string;
  /** Default `in-place`. */
  readonly scheme?: SchemeName;
  /** Default `nearest-even`. */
  readonly rounding?: Rounding | ShortRounding;
  /** Default `ieee`. */
  readonly overflow?: Overflow;
  /** Default `fp32`. */
  readonly opmath?: Opmath;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Fills in the defaults and checks every name.
 *
 * @param options the format, and non-default settings.
 * @returns complete settings of a case that applies recorded updates by a scheme.
 * @example updateSettings({ format: "bfloat16", rounding: "sr" }).rounding; // "stochastic"
 * @throws RangeError naming what is unknown and what is known; TypeError without options.
 */
export function updateSettings(options: UpdateOptions): UpdateSettings {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`options: expected an object with a format, found ${options}`);
  const {
    format,
    scheme = "in-place",
    rounding = "nearest-even",
    overflow = "ieee",
    opmath = "fp32",
  } = options;
  const { seed = 0 } = options;
  expectOneOf("scheme", scheme, Object.keys(schemes));
  expectOneOf("overflow", overflow, overflows);
  expectOneOf("opmath", opmath, opmaths);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`unknown seed ${seed}: expected an integer from 0 to 2^53 - 1`);
  }
  const storage = formatOf(format);
  if (!storage.signed) throw new RangeError(`format ${storage.name} holds scales of blocks, and no weights`);
  return {
    format: storage,
    scheme,
    rounding: roundingNamed(rounding),
    overflow,
    opmath,
    seed,
  };
}

function expectOneOf(what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) throw unknownName(what, name, known);
}
