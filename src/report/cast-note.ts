import { blockFormatsOf, type CastWithoutScale } from "../lens/cast.js";
import { printable } from "../lens/printable.js";
import { percentIn, share, short } from "./numbers.js";

/**
 * Warns about casts to low-bit formats without scales: the figures are correct, but checkpoints in such formats have
 * scales and thus different figures.
 */
export function castSentences(casts: readonly CastWithoutScale[] = [], sample?: number): string[] {
  const percent = percentIn(sample);
  const concerned = casts.filter(({ belowNormal }) => belowNormal > 0);
  if (concerned.length === 0) return [];
  const blocks = concerned.flatMap(({ format }) => blockFormatsOf(format));
  return [
    ...concerned.map(
      ({ format, minNormal, elements, belowNormal, zero }) =>
        `In ${printable(format)} without scales ${percent(share(belowNormal, elements))} of the weights are in the ` +
        `subnormal range, below ${short(minNormal)}, where it has fewer bits, and ${percent(share(zero, elements))} are zero.`,
    ),
    `Checkpoints in such formats carry a scale for each block of weights${blocks.length > 0 ? ` (${blocks.join(", ")})` : ""}, ` +
      "which is not applied here.",
  ];
}
