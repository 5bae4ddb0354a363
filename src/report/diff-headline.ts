import type { DifferenceResult } from "../lens/difference/difference-result.js";
import { printable } from "../lens/printable.js";
import { castSentences } from "./cast-note.js";
import { nonfiniteInPair, nothingFinite } from "./nonfinite.js";
import { count, percent, percentAtMost, share } from "./numbers.js";
import { leftOutSentences } from "./skipped.js";

/** The answer in a few sentences: the apparent sparsity, the part due to storage, and what is known for certain. */
export function diffHeadline({ totals, unknown, tensors, skipped, casts }: DifferenceResult): string[] {
  const left = [...leftOutSentences(skipped, totals.elements), ...nonfiniteInPair(totals)];
  if (totals.elements === 0) return [...left, "There are no weights to compare."];
  if (totals.apparentSparsity === null) return [...leftOutSentences(skipped, totals.elements), nothingFinite];
  const formats = comparedFormats(tensors);
  const bound = totals.realSparsityAtMost === null ? "" : `, ${percentAtMost(totals.realSparsityAtMost)}`;
  const sentences = [...left, comparedSentence(formats, totals)];
  if (totals.hidden !== null) {
    const hidden = share(totals.hidden, totals.unchanged);
    const same = share(totals.unchanged - totals.hidden, totals.elements - totals.nonfinite);
    const those = totals.shared
      ? `Of those with the same code ${percent(hidden)}`
      : `${percent(hidden)} of those`;
    sentences.push(
      hidden === null
        ? "No weight is left whose move could be hidden."
        : `${those} differ at full precision: ${percent(same)} of the weights are ` +
            "the same number there too.",
    );
  }
  if (totals.realSparsity !== null) {
    sentences.push(
      `${percent(totals.realSparsity)} were never updated: every update recorded of them is zero.`,
    );
  } else {
    sentences.push(
      `How many were never updated is unknown${bound}: ${printable(unknown.realSparsity ?? "")}.`,
    );
  }
  return [...sentences, ...castSentences(casts)];
}

/** The part of a file that was compared, if it has several, and other choices made. */
export function withinNote({ input }: DifferenceResult): string[] {
  return (["before", "after"] as const).flatMap((side) => {
    const { within, notes = [] } = input[side];
    return [
      ...(within === undefined
        ? []
        : [`Of ${side.toUpperCase()}, the tensors within "${printable(within)}" were compared.`]),
      ...notes.map((note) => `Of ${side.toUpperCase()}, ${printable(note)}.`),
    ];
  });
}

/** Why `hidden` is unknown, as a sentence; none if it is known. */
export function hiddenNote({ unknown }: DifferenceResult): string[] {
  return unknown.hidden === null ? [] : [`What the format hides is unknown: ${printable(unknown.hidden)}.`];
}

/** If the sides differ in format, which tensors were compared in the narrower one. */
export function mixedNote({ tensors, settings }: DifferenceResult): string[] {
  const mixed = new Map<string, number>();
  for (const { formats } of tensors) {
    const { before, after, compared } = formats;
    if (before === compared && after === compared) continue;
    const pair = before === after ? before : `${before} against ${after}`;
    // For codes with scales on both sides, numbers of one format are compared.
    const how =
      settings.view !== null
        ? "viewed as"
        : before === after
          ? "compared by number, as"
          : "compared in the narrower,";
    const key = `${printable(pair)}, ${how} ${printable(compared)}`;
    mixed.set(key, (mixed.get(key) ?? 0) + 1);
  }
  return [...mixed].map(([how, n]) => `${count(n)} ${n === 1 ? "tensor is" : "tensors are"} ${how}.`);
}

/** For shared scales: what changed by code, by number and by scale. */
function comparedSentence(formats: readonly string[], totals: DifferenceResult["totals"]): string {
  const { apparentSparsity, shared, elements, nonfinite } = totals;
  const how = `Compared as ${formats.join(" and ")}, ${percent(apparentSparsity)} of the weights`;
  if (shared === undefined) return `${how} are the same number.`;
  const numbers = share(elements - nonfinite - shared.numbers, elements - nonfinite);
  const ofTensors =
    shared.tensors === 0
      ? ""
      : ` and those of ${percent(share(shared.tensorScales, shared.tensors))} of the tensors`;
  return (
    `${how} have the same code, ${percent(numbers)} the same number: the scales of ` +
    `${percent(share(shared.blockScales, shared.blocks))} of the blocks${ofTensors} changed.`
  );
}

function comparedFormats(tensors: DifferenceResult["tensors"]): string[] {
  const elements = new Map<string, number>();
  for (const { formats, elements: n } of tensors) {
    elements.set(formats.compared, (elements.get(formats.compared) ?? 0) + n);
  }
  return [...elements].sort(([, a], [, b]) => b - a).map(([name]) => printable(name));
}
