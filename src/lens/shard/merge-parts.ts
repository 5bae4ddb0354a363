import type { DifferencePart, DifferenceResult } from "../difference/difference-result.js";
import type { EngineOfParts, Result, ResultEngine } from "../run/result.js";
import type { SweepPart, SweepResult } from "../study/sweep.js";
import { indicesOf, joinedRanges, listed, missingOf, type Part } from "./part.js";

/** A result that can be that of a shard. */
export type PartialResult = Result | DifferenceResult | SweepResult;

/** A result that does not belong to the others, and why. */
export class PartRefused extends RangeError {
  /** @param part as its caller named it. */
  constructor(
    readonly part: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(`${part}: expected ${expected}, found ${found}`);
  }
}

/** Tracks the shards seen and their ranges. Distinguishes parts of one plan from all others. */
export class PartSet {
  /** By shard, the name of the result that has it. */
  readonly #names = new Map<number, string>();
  #first: { readonly name: string; readonly result: PartialResult; readonly part: Part } | null = null;
  #ranges: Pick<Part, "ranges"> = { ranges: [] };

  /** @throws PartRefused */
  add(name: string, result: PartialResult): Part {
    const { part } = result;
    if (part === undefined) {
      throw new PartRefused(name, "the result of a shard, run with --shard", "that of a whole");
    }
    this.#first ??= { name, result, part };
    const { name: other, result: first } = this.#first;
    const found = differenceBetween(first, result);
    if (found !== null) throw new PartRefused(name, `a shard of the same work as ${other}`, found);
    for (const index of indicesOf(part)) {
      const twin = this.#names.get(index);
      const which = `shard ${index} of ${part.of}`;
      if (index >= part.of) throw new PartRefused(name, `a shard from 0 to ${part.of - 1}`, which);
      if (twin !== undefined)
        throw new PartRefused(name, "every shard once", `${which}, which ${twin} has too`);
      this.#names.set(index, name);
    }
    try {
      this.#ranges = { ranges: joinedRanges([this.#ranges, part]) };
    } catch (error) {
      throw new PartRefused(name, "weights that no other shard counted", `that ${(error as Error).message}`);
    }
    return part;
  }

  /** The parts together; null when they are the whole. @throws PartRefused where some are missing and `partial` is false. */
  end(partial: boolean): Part | null {
    const { part } = this.#first!;
    const missing = missingOf(this.#names.keys(), part.of);
    if (missing.length === 0) return this.#whole();
    if (!partial) {
      const expected = `all ${part.of} shards (--partial merges those that are there)`;
      throw new PartRefused("merge", expected, `${this.#names.size}; missing: ${listed(missing)}`);
    }
    const { cells: _, counted: __, ...rest } = part as Part & Partial<SweepPart & DifferencePart>;
    return { ...rest, index: [...this.#names.keys()].sort((a, b) => a - b), ...this.#ranges };
  }

  /** All shards are there, so all weights must be. */
  #whole(): null {
    const { part } = this.#first!;
    const weights = this.#ranges.ranges.filter(([tensor]) => tensor < part.whole.tensors);
    const elements = weights.reduce((sum, [, start, end]) => sum + end - start, 0);
    if (weights.length !== part.whole.tensors || elements !== part.whole.elements) {
      const expected = `all ${part.whole.elements} weights in ${part.whole.tensors} tensors`;
      throw new PartRefused("merge", expected, `${elements} in ${weights.length}`);
    }
    return null;
  }
}

/** The properties that parts of one whole share, by name; the first difference is the reason for refusal. */
const alike: readonly (readonly [what: string, valueIn: (result: PartialResult) => unknown])[] = [
  ["a result of schema", ({ schema }) => schema],
  ["release", ({ tool }) => tool.version],
  ["a number of shards,", ({ part }) => part!.of],
  ["settings", ({ settings }) => settings],
  ["cases", casesOf],
  ["rates", (result) => ("rates" in result ? result.rates : null)],
  ["steps", ({ input }) => ("stepNumbers" in input ? input.stepNumbers : null)],
];

function differenceBetween(first: PartialResult, other: PartialResult): string | null {
  for (const [what, valueIn] of alike) {
    const [a, b] = [valueIn(first), valueIn(other)];
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    if (what === "settings") return `another ${settingThatDiffers(a as object, b as object)}`;
    if (typeof b === "object") return `other ${what}`;
    return `${what === "release" ? "one of release" : what} ${JSON.stringify(b)}, there ${JSON.stringify(a)}`;
  }
  const isSame = first.part!.plan === other.part!.plan && sameWhole(first.part!, other.part!);
  return isSame ? null : "that of other files, or of other options";
}

function sameWhole({ whole: a, sizes: c }: Part, { whole: b, sizes: d }: Part): boolean {
  return JSON.stringify([a, c]) === JSON.stringify([b, d]);
}

function settingThatDiffers(a: object, b: object): string {
  const values = (object: object) => object as Record<string, unknown>;
  const name = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    (key) => JSON.stringify(values(a)[key]) !== JSON.stringify(values(b)[key]),
  )!;
  const told = (object: object) => JSON.stringify(values(object)[name] ?? null);
  return `${name}, ${told(b)} and not ${told(a)}`;
}

function casesOf(result: PartialResult): unknown {
  if (!("cases" in result) && !("cells" in result)) return null;
  const cases = "cases" in result ? result.cases : result.cells;
  return cases.map(({ format, rounding, scheme, opmath, ...rest }) => {
    const { through, scales, momentum } = rest;
    return [
      format,
      rounding,
      scheme,
      opmath,
      through,
      scales,
      momentum,
      "recipe" in rest ? rest.recipe : null,
    ];
  });
}

/** The engines of all parts, each once, independent of the merge order. */
export class EngineSet {
  readonly #parts = new Map<string, EngineOfParts>();
  #handedOver = 0;

  add({ handedOver = 0, parts, ...engine }: ResultEngine): void {
    this.#handedOver += handedOver;
    for (const { shards, ...each } of parts ?? [{ ...engine, shards: 1 }]) {
      const key = JSON.stringify([each.name, each.device, each.remark ?? "", each.selfCheck]);
      this.#parts.set(key, { ...each, shards: shards + (this.#parts.get(key)?.shards ?? 0) });
    }
  }

  end(): ResultEngine {
    const parts = [...this.#parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
    const distinct = (texts: readonly string[]) => [...new Set(texts)].sort();
    const sum = (numberOf: (check: ResultEngine["selfCheck"]) => number) =>
      parts.reduce((total, { selfCheck }) => total + numberOf(selfCheck), 0);
    const remarks = distinct(parts.flatMap(({ remark }) => remark ?? []));
    const failed = parts.find(({ selfCheck }) => selfCheck.firstFailure !== null);
    return {
      name: distinct(parts.map(({ name }) => name)).join(", "),
      device: distinct(parts.map(({ device }) => device)).join("; "),
      selfCheck: {
        passed: sum(({ passed }) => passed),
        failed: sum((check) => check.failed),
        firstFailure: failed?.selfCheck.firstFailure ?? null,
      },
      ...(this.#handedOver > 0 && { handedOver: this.#handedOver }),
      ...(remarks.length > 0 && { remark: remarks.join(" ") }),
      parts,
    };
  }
}
