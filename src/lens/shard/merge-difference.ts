import { deltaCosts, sentOf } from "../difference/delta.js";
import { DifferenceTally } from "../difference/difference.js";
import type {
  BytesOfTensor,
  DeltaSample,
  DifferenceResult,
  SampledBytes,
} from "../difference/difference-result.js";
import { type CountedPair, countedOf, summarizeDifference } from "../difference/summarize-difference.js";
import { LeastPart } from "./merge-whole.js";
import { type Part, placesOf } from "./part.js";

type Counted = CountedPair & { readonly codeBits: number | null };

/** Adds up comparisons, one part after the other. */
export class DifferenceSum {
  readonly #least = new LeastPart<DifferenceResult>();
  readonly #tensors = new Map<number, Counted>();
  readonly #byBytes = new Map<number, BytesOfTensor>();
  #sample: DeltaSample | null = null;
  #zstdUnknown: string | null = null;

  add(result: DifferenceResult, part: Part): void {
    const { counted } = result.part!;
    for (const [k, place] of placesOf(part).entries()) {
      const { name, shape, formats } = result.tensors[k];
      const { tally, tells, codeBits } = counted[k];
      const known = this.#tensors.get(place) ?? {
        name,
        shape,
        formats,
        tells,
        codeBits,
        tally: new DifferenceTally(),
      };
      this.#tensors.set(place, known);
      known.tally.merge(DifferenceTally.fromJSON(tally));
    }
    const bytes = part.ranges.filter(([tensor]) => tensor >= part.whole.tensors);
    for (const [k, [place]] of bytes.entries()) this.#byBytes.set(place, result.byBytes![k]);
    this.#sample =
      this.#sample === null ? result.delta.sample : addedSamples(this.#sample, result.delta.sample);
    this.#zstdUnknown ??= result.delta.compressed.zstdUnknown;
    this.#least.add(part, result);
  }

  end(part: Part | null): DifferenceResult {
    const { schema, tool, input, settings, unknown, skipped } = this.#least.of;
    const inOrder = <Of>(map: ReadonlyMap<number, Of>) =>
      [...map].sort(([a], [b]) => a - b).map(([, each]) => each);
    const counted = inOrder(this.#tensors);
    const summary = summarizeDifference(counted);
    const sent = summary.tensors.map((tensor, i) => sentOf(tensor, counted[i].tally, counted[i].codeBits));
    const byBytes = inOrder(this.#byBytes);
    return {
      schema,
      tool,
      input,
      settings,
      unknown,
      ...summary,
      delta: deltaCosts(sent, this.#sample!, this.#zstdUnknown),
      ...(byBytes.length > 0 && { byBytes }),
      skipped,
      ...(part && { part: { ...part, counted: counted.map(countedOf) } }),
    };
  }
}

/** A shard without a chunk adds zeros, also to the bytes of zstd. */
function addedSamples(a: DeltaSample, b: DeltaSample): DeltaSample {
  const bytes = (x: SampledBytes["plain"], y: SampledBytes["plain"]) => ({
    full: x.full + y.full,
    gapValue: x.gapValue + y.gapValue,
    maskValue: x.maskValue + y.maskValue,
  });
  return {
    chunks: a.chunks + b.chunks,
    elements: a.elements + b.elements,
    changed: a.changed + b.changed,
    plain: bytes(a.plain, b.plain),
    gzip: bytes(a.gzip, b.gzip),
    zstd: a.zstd === null || b.zstd === null ? null : bytes(a.zstd, b.zstd),
  };
}
