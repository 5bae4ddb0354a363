import { format } from "../../format/registry.js";
import { addedCasts, type CastWithoutScale } from "../cast.js";
import { type Module, moduleOf } from "../module.js";
import { moduleKinds } from "../module-kind.js";
import { changedJson } from "../shared-tally.js";
import { binCounts, DifferenceTally } from "./difference.js";
import type {
  DifferenceCounts,
  DifferenceOfKind,
  DifferenceOfLayer,
  DifferenceOfTensor,
  DifferenceTotals,
  Heatmap,
  PartOfTensor,
} from "./difference-result.js";

/** The counts of a tensor, and which of them its files determine. */
export interface CountedPair {
  readonly name: string;
  readonly shape: readonly number[];
  readonly formats: DifferenceOfTensor["formats"];
  readonly tells: {
    readonly hidden: boolean;
    readonly updates: boolean;
    /** False if AFTER was quantized, which changes numbers without an update. */
    readonly bound?: boolean;
  };
  readonly tally: DifferenceTally;
}

/** What the merge of shards needs of a tensor that was compared. */
export function countedOf({
  tally,
  tells,
  codeBits,
}: Pick<CountedPair, "tally" | "tells"> & Pick<PartOfTensor, "codeBits">): PartOfTensor {
  const { hidden, updates, bound } = tells;
  return {
    tally: tally.toJSON(),
    tells: { hidden, updates, ...(bound !== undefined && { bound }) },
    codeBits,
  };
}

export interface DifferenceSummary {
  readonly totals: DifferenceTotals;
  readonly kinds: readonly DifferenceOfKind[];
  readonly layers: readonly DifferenceOfLayer[];
  readonly heatmaps: readonly Heatmap[];
  readonly tensors: readonly DifferenceOfTensor[];
  readonly casts?: readonly CastWithoutScale[];
}

type Placed = CountedPair & { readonly module: Module };

/** Adds up tensors, weighted by element count: by kind of module, by layer, and in total. */
export function summarizeDifference(pairs: readonly CountedPair[]): DifferenceSummary {
  const placed = pairs.map((pair) => ({ ...pair, module: moduleOf(pair.name) }));
  const kinds = moduleKinds.flatMap((kind) => {
    const ofKind = placed.filter(({ module }) => module.kind === kind);
    return ofKind.length > 0 ? [{ kind, ...totalsOf(ofKind) }] : [];
  });
  const byStack = groupBy(
    placed.filter(({ module }) => module.stack !== null),
    ({ module }) => module.stack!,
  );
  const stacks = [...byStack].map(([stack, tensors]) => {
    const layers = groupBy(tensors, ({ module }) => module.layer!);
    return { stack, layers: [...layers].sort(([a], [b]) => a - b) };
  });
  return {
    totals: totalsOf(placed),
    kinds,
    layers: stacks.flatMap(({ stack, layers }) =>
      layers.map(([layer, tensors]) => ({ stack, layer, ...totalsOf(tensors) })),
    ),
    heatmaps: stacks.map(({ stack, layers }) => heatmap(stack, layers)),
    tensors: placed.map(({ name, shape, formats, module, tally, tells }) => ({
      name,
      shape,
      ...module,
      formats,
      whollyUnchanged: isWhollyUnchanged(tally),
      ...countsOf(tally, tells),
    })),
    ...castsOf(placed),
  };
}

/** By compared format. */
function castsOf(pairs: readonly CountedPair[]): Pick<DifferenceSummary, "casts"> {
  const cast = pairs.filter(({ tally }) => tally.cast > 0);
  const casts = [...groupBy(cast, ({ formats }) => formats.compared)].map(([name, tensors]) => {
    const { minNormal } = format(name);
    return addedCasts(
      tensors.map(({ tally }) => ({
        format: name,
        minNormal,
        elements: tally.cast,
        belowNormal: tally.castBelowNormal,
        zero: tally.castZero,
      })),
    );
  });
  return casts.length > 0 ? { casts } : {};
}

function heatmap(stack: string, layers: readonly (readonly [number, readonly Placed[]])[]): Heatmap {
  const present = new Set(layers.flatMap(([, tensors]) => tensors.map(({ module }) => module.kind)));
  const kinds = moduleKinds.filter((kind) => present.has(kind));
  return {
    stack,
    layers: layers.map(([layer]) => layer),
    kinds,
    apparentSparsity: layers.map(([, tensors]) => {
      const byKind = groupBy(tensors, ({ module }) => module.kind);
      return kinds.map((kind) => totalsOf(byKind.get(kind) ?? []).apparentSparsity);
    }),
  };
}

function totalsOf(pairs: readonly CountedPair[]): DifferenceTotals {
  const tally = new DifferenceTally();
  for (const pair of pairs) tally.merge(pair.tally);
  const tells = {
    hidden: pairs.every((pair) => pair.tells.hidden),
    updates: pairs.every((pair) => pair.tells.updates),
    bound: pairs.every((pair) => pair.tells.bound !== false),
  };
  const tensorsUnchanged = pairs.filter((pair) => isWhollyUnchanged(pair.tally)).length;
  return { tensors: pairs.length, tensorsUnchanged, ...countsOf(tally, tells) };
}

/** Empty sets have no shares. */
function isWhollyUnchanged({
  elements,
  bytesChanged,
  codesChanged,
  scalesChanged,
}: DifferenceTally): boolean {
  return elements > 0 && bytesChanged + codesChanged + scalesChanged === 0;
}

function countsOf(tally: DifferenceTally, tells: CountedPair["tells"]): DifferenceCounts {
  const { elements, nonfinite, nonfiniteChanged, unchanged, changed, bytesChanged, signFlips } = tally;
  const n = elements - nonfinite;
  const hidden = tells.hidden ? tally.hidden : null;
  const neverUpdated = tells.updates ? tally.neverUpdated : null;
  const sameNumber = tally.shared ? n - tally.numbersChanged : unchanged;
  const probe = (called: number) => ({
    unchanged: called,
    share: share(called, n),
    unchangedButDiffers: called - sameNumber,
  });
  return {
    elements,
    nonfinite,
    nonfiniteChanged,
    unchanged,
    changed,
    bytesChanged,
    apparentSparsity: share(unchanged, n),
    hidden,
    neverUpdated,
    realSparsity: neverUpdated === null ? null : share(neverUpdated, n),
    realSparsityAtMost: tells.bound === false ? null : share(unchanged - (hidden ?? 0), n),
    signFlips,
    probes: {
      "path-not-taken": probe(tally.pathNotTaken),
      "small-subnetworks": probe(tally.smallSubnetworks),
    },
    ulps: binCounts(tally.distances),
    displacementNorm: Math.sqrt(tally.displacementSquared.value()),
    sums: { displacementSquared: tally.displacementSquared.parts() },
    ...codesOf(tally),
    ...(tally.shared && { shared: { ...changedJson(tally.shared), numbers: tally.numbersChanged } }),
  };
}

function codesOf(tally: DifferenceTally): Pick<DifferenceCounts, "codes"> {
  const { codes: elements, codesChanged: changed, changedByScale, scales, scalesChanged } = tally;
  return elements === 0 ? {} : { codes: { elements, changed, changedByScale, scales, scalesChanged } };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function groupBy<Key, Of>(items: readonly Of[], keyOf: (item: Of) => Key): Map<Key, Of[]> {
  const groups = new Map<Key, Of[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
