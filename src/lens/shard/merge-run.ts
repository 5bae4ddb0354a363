import { addedCasts, type CastWithoutScale } from "../cast.js";
import type { Case } from "../run/case.js";
import { countedCase } from "../run/counted.js";
import type { Result } from "../run/result.js";
import { type CaseIdentity, type CountedCase, sharedIdentityOf, summarizeCounted } from "../run/summarize.js";
import { samplingOf } from "../study/sampling.js";
import { EndTally, Tally, UpdateTally } from "../tally.js";
import { EngineSet } from "./merge-parts.js";
import { indicesOf, type Part, placesOf } from "./part.js";

/** The part with the smallest index, from which the whole takes common fields, whatever the order. */
export class LeastPart<Of> {
  #least = Infinity;
  #of: Of | null = null;

  add(part: Part, result: Of): void {
    const [index] = indicesOf(part);
    if (index >= this.#least) return;
    this.#least = index;
    this.#of = result;
  }

  get of(): Of {
    return this.#of!;
  }
}

/** Casts of parts by their format, in the order of the first part. */
export class CastSet {
  readonly #casts = new Map<string, CastWithoutScale>();

  add(casts: readonly CastWithoutScale[] = []): void {
    for (const cast of casts) {
      const known = this.#casts.get(cast.format);
      this.#casts.set(cast.format, known ? addedCasts([known, cast]) : cast);
    }
  }

  end(): { readonly casts?: readonly CastWithoutScale[] } {
    return this.#casts.size > 0 ? { casts: [...this.#casts.values()] } : {};
  }
}

/** Adds up a case over parts of tensors, one part after the other. */
class CaseSum {
  readonly #identity: CaseIdentity;
  readonly #tensors = new Map<number, CountedCase["tensors"][number]>();
  readonly #steps: CountedCase["steps"];
  readonly #curve: { step: number; elements: number; end: EndTally }[];

  constructor(lensCase: Case) {
    const { format, rounding, scheme, opmath, recipe } = lensCase;
    this.#identity = { format, rounding, scheme, opmath, recipe, ...sharedIdentityOf(lensCase) };
    this.#steps = lensCase.steps.map(({ step }) => ({ step, tally: new UpdateTally() }));
    this.#curve = lensCase.curve.map(({ step }) => ({ step, elements: 0, end: new EndTally() }));
  }

  add(lensCase: Case, places: readonly number[]): void {
    const { tensors, steps, curve } = countedCase(lensCase);
    for (const [k, tensor] of tensors.entries()) {
      const known = this.#tensors.get(places[k]) ?? { ...tensor, tally: new Tally() };
      this.#tensors.set(places[k], known);
      known.tally.merge(tensor.tally);
    }
    for (const [i, { tally }] of steps.entries()) this.#steps[i].tally.merge(tally);
    for (const [i, { elements, end }] of curve.entries()) {
      this.#curve[i].elements += elements;
      this.#curve[i].end.merge(end);
    }
  }

  end(): Case {
    const tensors = [...this.#tensors].sort(([a], [b]) => a - b).map(([, tensor]) => tensor);
    return summarizeCounted(this.#identity, { tensors, steps: this.#steps, curve: this.#curve });
  }
}

/** Adds up runs, recorded and simulated, one part after the other. */
export class RunSum {
  readonly #engines = new EngineSet();
  readonly #casts = new CastSet();
  readonly #least = new LeastPart<Omit<Result, "cases">>();
  #cases: CaseSum[] | null = null;
  #places = new Set<number>();
  #elements = 0;
  #firstShown: Result["firstShown"];

  add(result: Result, part: Part): void {
    const { cases, ...rest } = result;
    this.#cases ??= cases.map((lensCase) => new CaseSum(lensCase));
    const places = placesOf(part);
    for (const [c, lensCase] of cases.entries()) this.#cases[c].add(lensCase, places);
    for (const place of places) this.#places.add(place);
    this.#elements += result.input.elements;
    this.#engines.add(result.engine);
    this.#casts.add(result.casts);
    this.#least.add(part, rest);
    this.#firstShown ??= result.firstShown;
  }

  end(part: Part | null): Result {
    const { schema, tool, input, settings, skipped, part: partial } = this.#least.of;
    const cases = this.#cases!.map((sum) => sum.end());
    const sizes = part === null ? partial?.sizes : undefined;
    return {
      schema,
      tool,
      input: { ...input, tensors: this.#places.size, elements: this.#elements },
      settings,
      engine: this.#engines.end(),
      cases,
      skipped,
      ...this.#casts.end(),
      ...(sizes && { sampling: samplingOf(cases, sizes) }),
      ...(this.#firstShown && { firstShown: this.#firstShown }),
      ...(part && { part }),
    };
  }
}
