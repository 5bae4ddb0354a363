import type { BlockFormat } from "../../format/block/block-format.js";
import type { Format } from "../../format/format.js";
import type { StoredNumbers } from "../../lens/difference/difference.js";
import type { DifferenceSide } from "../../lens/difference/difference-result.js";
import type { SkippedTensor } from "../../lens/input.js";
import type { ComparedFormat } from "../../lens/ulp-distance.js";
import { InputError, quote } from "../input-error.js";
import { type AlignOptions, align, haveOtherRows, tiedHead } from "../names/align.js";
import { shapeText } from "../safetensors/header.js";
import { firstSkipped, SkipList } from "../skip-list.js";
import { areBytes, type BytesPair } from "./bytes-pair.js";
import type { Side } from "./side.js";
import type { SideTensor } from "./side-tensor.js";

/** A tensor that both sides have. */
export interface TensorPair {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly before: SideTensor;
  readonly after: SideTensor;
  readonly compared: ComparedFormat;
  /** Set if compared as quantized by a receiver with shared scales; then `compared` is the element format. */
  readonly blocks: BlockFormat | null;
  readonly tells: { readonly hidden: boolean; readonly updates: boolean; readonly bound: boolean };
  /** The numbers from index `start` on. */
  read(start: number, count: number): Promise<StoredNumbers>;
}

/** Two checkpoints or recorded runs with their tensors paired by name. */
export interface CheckpointPair {
  readonly before: DifferenceSide;
  readonly after: DifferenceSide;
  /** In the order of BEFORE. */
  readonly tensors: readonly TensorPair[];
  /** Tensors without floating-point numbers, compared by bytes. */
  readonly byBytes: readonly BytesPair[];
  readonly skipped: readonly SkippedTensor[];
  /** Why these are unknown; null if known. */
  readonly unknown: { readonly hidden: string | null; readonly realSparsity: string | null };
  /** Every file of both sides that was opened. */
  readonly files: readonly string[];
  close(): Promise<void>;
}

export interface PairOptions extends AlignOptions {
  /** Compare in this format, whatever is stored; by default in the narrower of two formats. */
  readonly view?: Format | BlockFormat | null;
  /** Whether a tensor that cannot be compared is an error. */
  readonly strict?: boolean;
  /** Use only this many first updates of AFTER, a recorded run. */
  readonly updates?: number;
}

/**
 * Pairs the tensors of two sides by name. Tensors that cannot be compared are excluded and listed with the
 * reason.
 *
 * @param updates whether AFTER is a recorded run that began from BEFORE, so that its updates are all the changes.
 * @throws InputError if nothing can be compared, or, with `strict`, if anything cannot.
 */
export function pairUp(
  before: Side,
  after: Side,
  { view = null, strict = false, ...names }: PairOptions,
  updates: boolean,
): CheckpointPair {
  const [from, to] = align(before, after, names);
  const list = new SkipList(strict);
  for (const side of [from, to]) list.addUnnamed(side, false);
  const tensors: TensorPair[] = [];
  const byBytes: BytesPair[] = [];
  const take = (path: string, before: SideTensor | undefined, after: SideTensor | undefined) => {
    const { name, elements } = (before ?? after)!;
    if (before && after && areBytes(before, after) && (before.obstacle || before.format === null)) {
      byBytes.push({ before, after });
      // Integers and booleans are not weights; codes are.
      if (!before.obstacle) return;
    }
    const coded = before?.obstacle ?? after?.obstacle;
    const reason = coded?.reason ?? whyNot(before, after, view, { from, to });
    if (reason !== null) list.add(path, name, reason, coded?.weights ?? elements);
    else tensors.push(pairOf(before!, after!, view, updates));
  };
  for (const before of from.tensors.values()) take(from.path, before, to.tensors.get(before.name));
  for (const after of to.tensors.values()) {
    if (!from.tensors.has(after.name)) take(to.path, undefined, after);
  }
  for (const side of [from, to]) list.addUnnamed(side, true);
  const skipped = list.tensors;
  if (tensors.length + byBytes.length === 0) {
    const expected = `tensors that can be compared with those of ${quote(from.path)}`;
    throw new InputError(to.path, expected, `none${firstSkipped(skipped)}`);
  }
  return {
    before: resultSide(from),
    after: resultSide(to),
    tensors,
    byBytes,
    skipped,
    unknown: {
      hidden: tensors.every(({ tells }) => tells.hidden) ? null : hiddenUnknown(tensors),
      realSparsity: updates ? null : updatesUnknown(from, to, tensors),
    },
    files: [...new Set([...from.files, ...to.files])].sort(),
    close: async () => {
      await Promise.all([from.close(), to.close()]);
    },
  };
}

type View = Format | BlockFormat | null;

function resultSide({ path, kind, within, notes = [] }: Side): DifferenceSide {
  return { path, kind, ...(within !== undefined && { within }), ...(notes.length > 0 && { notes }) };
}

function whyNot(
  before: SideTensor | undefined,
  after: SideTensor | undefined,
  view: View,
  { from, to }: { readonly from: Side; readonly to: Side },
): string | null {
  if (!after) return `is only in BEFORE${tiedHead(before!.name, to.tensors)}`;
  return before ? obstacle(before, after, view) : `is only in AFTER${tiedHead(after.name, from.tensors)}`;
}

/** Why two tensors cannot be compared; null if they can. */
function obstacle(before: SideTensor, after: SideTensor, view: View): string | null {
  for (const [{ format, dtype }, side] of [
    [before, "BEFORE"],
    [after, "AFTER"],
  ] as const) {
    if (format === null) return `its dtype in ${side} is ${dtype}, which holds no floats`;
  }
  if (shapeText(before.shape) !== shapeText(after.shape)) {
    const way =
      before.shape.length > 1 && haveOtherRows(before, after)
        ? ": --common-rows compares the rows that both have"
        : "";
    return `its shape is ${shapeText(before.shape)} in BEFORE and ${shapeText(after.shape)} in AFTER${way}`;
  }
  if (view === null && narrower(before.format!, after.format!) === null) {
    return (
      `it is ${before.dtype} in BEFORE and ${after.dtype} in AFTER, and neither holds all numbers of the other: ` +
      "--view names a format to compare in"
    );
  }
  return null;
}

function pairOf(before: SideTensor, after: SideTensor, view: View, updates: boolean): TensorPair {
  const { name, shape, elements } = before;
  const blocks = view !== null && "element" in view ? view : null;
  const compared = blocks?.element ?? (view as Format | null) ?? narrower(before.format!, after.format!)!;
  const rounds = [before, after].some(({ format }) => !holds(compared, format!));
  return {
    name,
    shape,
    elements,
    before,
    after,
    compared,
    blocks,
    // If AFTER is the narrower one, its cast alone may have changed the number.
    tells: {
      // Codes with scales hold their numbers in fewer bits, by rounding them.
      hidden: rounds && !after.scaled && holds(after.format!, before.format!),
      updates,
      // What changes a scale changes the codes and numbers of other weights.
      bound: !after.scaled && blocks === null,
    },
    async read(start, count) {
      const [a, b] = [new Float64Array(count), new Float64Array(count)];
      const updated = updates ? new Uint8Array(count) : null;
      await Promise.all([before.read(start, a, null), after.read(start, b, updated)]);
      return { before: a, after: b, updated };
    },
  };
}

/** The narrower of two formats, if the other can represent all its numbers; otherwise null. */
export function narrower(a: ComparedFormat, b: ComparedFormat): ComparedFormat | null {
  if (holds(b, a)) return a;
  return holds(a, b) ? b : null;
}

/** Whether every finite number of `narrow` is one of `wide`. */
function holds(wide: ComparedFormat, narrow: ComparedFormat): boolean {
  if (wide === "fp64" || narrow === "fp64") return wide === "fp64";
  return (
    wide.precision >= narrow.precision &&
    wide.maxFinite >= narrow.maxFinite &&
    wide.minPositive <= narrow.minPositive
  );
}

function hiddenUnknown(tensors: readonly TensorPair[]): string {
  return mainReason(tensors, (tensor) => (tensor.tells.hidden ? null : whyHiddenUnknown(tensor)));
}

/** The reason that concerns the most weights, and how many tensors it concerns if not all: their formats may differ. */
function mainReason(tensors: readonly TensorPair[], reasonOf: (tensor: TensorPair) => string | null): string {
  const counted = new Map<string, { tensors: number; elements: number }>();
  for (const tensor of tensors) {
    const reason = reasonOf(tensor);
    if (reason === null) continue;
    const sum = counted.get(reason) ?? { tensors: 0, elements: 0 };
    counted.set(reason, { tensors: sum.tensors + 1, elements: sum.elements + tensor.elements });
  }
  const [[reason, concerned]] = [...counted].sort(([, a], [, b]) => b.elements - a.elements);
  return concerned.tensors === tensors.length
    ? reason
    : `in ${concerned.tensors} of ${tensors.length} tensors ${reason}`;
}

function whyHiddenUnknown(tensor: TensorPair): string {
  const { before, after } = tensor;
  const [from, to, name] = [storedAs(before), storedAs(after), comparedName(tensor)];
  if (after.scaled && !before.scaled) {
    return `AFTER stores ${to}, BEFORE ${from}: where numbers differ, quantizing them alone may have changed them`;
  }
  if (!holds(after.format!, before.format!)) {
    return `AFTER stores ${to}, narrower than the ${from} of BEFORE: where numbers differ, its cast alone may have changed them`;
  }
  const stored = from === to ? `both sides store ${from}` : `BEFORE stores ${from} and AFTER ${to}`;
  return `${stored} and are compared in ${name}: a move that this format does not show is not in the files`;
}

function updatesUnknown(from: Side, to: Side, tensors: readonly TensorPair[]): string {
  if (tensors.some(({ tells }) => !tells.bound)) {
    return mainReason(tensors, (tensor) => (tensor.tells.bound ? null : whyUnbounded(tensor)));
  }
  if (to.kind === "recorded run") {
    return "AFTER is a recorded run, but BEFORE is not its base: updates before the recording are unknown";
  }
  const run =
    from.kind === "recorded run" ? "; give the recorded run as AFTER too to compare its own end" : "";
  return (
    "two checkpoints do not tell which updates were zero: an unchanged weight may have moved by less than " +
    `its format resolves, or moved and returned${run}`
  );
}

function whyUnbounded(tensor: TensorPair): string {
  return tensor.after.scaled
    ? `AFTER stores ${storedAs(tensor.after)}: to quantize numbers, or to renew the scale that they share, changes ` +
        "those too that no update did"
    : `weights of ${comparedName(tensor)} share scales: the update of one changes the codes and numbers of others`;
}

/** The name in results of the format in which a pair is compared. */
export function comparedName({ compared, blocks }: Pick<TensorPair, "compared" | "blocks">): string {
  return blocks?.name ?? nameOf(compared);
}

export function nameOf(format: ComparedFormat): string {
  return format === "fp64" ? format : format.name;
}

/** The name of a tensor's storage format. */
export function storedAs({ format, scaled }: SideTensor): string {
  return scaled?.format ?? nameOf(format!);
}
