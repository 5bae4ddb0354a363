import { type BlockFormat, blockFormat, isBlockFormat } from "../format/block/block-format.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { unknownName } from "../format/unknown-name.js";
import { type BlockSchemeName, blockSchemeNames, blockSchemes } from "./block-scheme.js";
import type { SchemeName } from "./scheme.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/** Whether scales are recomputed after every step or keep their initial values. */
export const scaleTimes = ["renewed", "kept"] as const;
export type ScaleTimes = (typeof scaleTimes)[number];

/** A case whose weights share scales. Its `format` is that of the elements; these saturate whatever `overflow` says. */
export interface BlockSettings extends Omit<UpdateSettings, "scheme" | "blocks"> {
  readonly scheme: BlockSchemeName;
  readonly blocks: BlockFormat;
  /**
   * The format that a master is rounded to (nearest-even) before quantization, as sent by trainers; null for
   * none.
   */
  readonly through: Format | null;
  readonly scales: ScaleTimes;
  /** For `eco`, the optimizer's first beta; otherwise null. */
  readonly momentum: number | null;
}

/** {@link BlockSettings} as passed by a caller; only the format is required. */
export interface BlockOptions extends Omit<UpdateOptions, "scheme"> {
  readonly scheme?: SchemeName | BlockSchemeName;
  readonly through?: Format | string | null;
  /** Default `renewed`. */
  readonly scales?: ScaleTimes;
  /** An fp32 number from 0 to less than 1; default 0.9. */
  readonly momentum?: number;
}

/**
 * The settings of a case that applies recorded updates by a scheme, in a format with or without shared
 * scales.
 *
 * @param options the format, by name, and non-default settings; `through`, `scales` and `momentum` apply to
 * formats with shared scales.
 * @returns complete settings, with `blocks` if scales are shared.
 * @throws RangeError for unknown names, and for schemes that formats with shared scales do not support.
 * @example schemeSettings({ format: "mxfp4:rceil", scheme: "master" }).format.name; // "e2m1fn"
 */
export function schemeSettings(options: BlockOptions): UpdateSettings | BlockSettings {
  const { through = null, scales = "renewed", momentum = 0.9, scheme = "in-place", ...rest } = options;
  const { format } = rest;
  if (typeof format !== "string" || !isBlockFormat(format)) {
    if (through !== null) throw new RangeError("through: expected a format with shared scales to go to");
    if (scheme === "eco") throw new RangeError("scheme eco: expected a format with shared scales");
    return updateSettings({ ...rest, scheme });
  }
  const blocks = blockFormat(format);
  if (!isBlockScheme(scheme)) {
    throw new RangeError(
      `${blocks.name} has shared scales: expected scheme ${blockSchemeNames.slice(0, -1).join(", ")} or ${blockSchemeNames.at(-1)}, found ${scheme}`,
    );
  }
  const by = through === null ? null : formatOf(through);
  if (by !== null && scheme !== "master") {
    throw new RangeError(`through ${by.name}: expected scheme master, found ${scheme}`);
  }
  if (!scaleTimes.includes(scales)) throw unknownName("scales", String(scales), scaleTimes);
  const beta = Math.fround(momentum);
  // The paper divides by beta; here a beta of 0 returns everything at once.
  if (!(beta >= 0 && beta < 1))
    throw new RangeError(`momentum: expected 0 to less than 1, found ${momentum}`);
  // A grid may set opmath for formats without scales; here only fp32 exists.
  const settings = updateSettings({ ...rest, format: blocks.element, opmath: "fp32" });
  return { ...settings, scheme, blocks, through: by, scales, momentum: scheme === "eco" ? beta : null };
}

function isBlockScheme(name: string): name is BlockSchemeName {
  return Object.hasOwn(blockSchemes, name);
}
