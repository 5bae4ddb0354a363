import { type BlockFormat, blockFormat, isBlockFormat } from "../format/block/block-format.js";
import type { Format } from "../format/format.js";
import { formatOf } from "../format/registry.js";
import { blockSchemeNames } from "./block-scheme.js";
import { type UpdateOptions, type UpdateSettings, updateSettings } from "./settings.js";

/** A case whose weights share scales. Its `format` is that of the elements; these saturate whatever `overflow` says. */
export interface BlockSettings extends UpdateSettings {
  readonly blocks: BlockFormat;
  /** What a master is rounded to (nearest-even) before it is quantized, as trainers send it; null: it is quantized itself. */
  readonly through: Format | null;
}

export interface BlockOptions extends UpdateOptions {
  readonly through?: Format | string | null;
}

/**
 * The settings of a case that is recorded updates by a scheme, in a format with shared scales or without.
 *
 * @param options the format, by name, and what differs from the defaults; `through` is for formats with shared scales.
 * @returns settings, complete; with `blocks` where scales are shared.
 * @throws RangeError for unknown names, and for what formats with shared scales are not stored by.
 * @example schemeSettings({ format: "mxfp4:rceil", scheme: "master" }).format.name; // "e2m1fn"
 */
export function schemeSettings({ through = null, ...options }: BlockOptions): UpdateSettings | BlockSettings {
  const { format } = options;
  if (typeof format !== "string" || !isBlockFormat(format)) {
    if (through !== null) throw new RangeError("through: expected a format with shared scales to go to");
    return updateSettings(options);
  }
  const blocks = blockFormat(format);
  // In one grid with formats without scales, of which this may be asked; here there is nothing but fp32.
  const settings = updateSettings({ ...options, format: blocks.element, opmath: "fp32" });
  const { scheme } = settings;
  if (!blockSchemeNames.includes(scheme)) {
    throw new RangeError(
      `${blocks.name} has shared scales: expected scheme ${blockSchemeNames.join(" or ")}, found ${scheme}`,
    );
  }
  const by = through === null ? null : formatOf(through);
  if (by !== null && scheme !== "master") {
    throw new RangeError(`through ${by.name}: expected scheme master, found ${scheme}`);
  }
  return { ...settings, blocks, through: by };
}

/** Whether the weights of a case share scales. */
export function sharesScales(settings: object): settings is BlockSettings {
  return "blocks" in settings;
}
