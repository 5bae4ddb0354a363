import type { Case } from "../run/case.js";
import { countedCase } from "../run/counted.js";
import type { Result } from "../run/result.js";
import { type CaseIdentity, type CountedCase, sharedIdentityOf, summarizeCounted } from "../run/summarize.js";
import { samplingOf } from "../study/sampling.js";
import { EndTally, Tally, UpdateTally } from "../tally.js";
import { WholeOf } from "./merge-whole.js";
import { type Part, placesOf } from "./part.js";

/** Adds up a case over parts of tensors, one part after the other. */
class CaseSum {
  readonly #identity: CaseIdentity;
  readonly #tensors = new Map<number, CountedCase["tensors"][number]>();
  readonly #steps: CountedCase["steps"];
  readonly #curve: { step: number; elements: number; end: EndTally }[];

  constructor(caseResult: Case) {
    const { format, rounding, scheme, opmath, recipe } = caseResult;
    this.#identity = { format, rounding, scheme, opmath, recipe, ...sharedIdentityOf(caseResult) };
    this.#steps = caseResult.steps.map(({ step }) => ({ step, tally: new UpdateTally() }));
    this.#curve = caseResult.curve.map(({ step }) => ({ step, elements: 0, end: new EndTally() }));
  }

  add(caseResult: Case, places: readonly number[]): void {
    const { tensors, steps, curve } = countedCase(caseResult);
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
  readonly #whole = new WholeOf<Omit<Result, "cases">>();
  #cases: CaseSum[] | null = null;
  #firstShown: Result["firstShown"];

  add(result: Result, part: Part): void {
    const { cases, ...rest } = result;
    this.#cases ??= cases.map((caseResult) => new CaseSum(caseResult));
    const places = placesOf(part);
    for (const [c, caseResult] of cases.entries()) this.#cases[c].add(caseResult, places);
    this.#whole.add(part, rest);
    this.#firstShown ??= result.firstShown;
  }

  end(part: Part | null): Result {
    const { schema, tool, settings, skipped, part: partial } = this.#whole.least;
    const cases = this.#cases!.map((sum) => sum.end());
    const sizes = part === null ? partial!.sizes : undefined;
    return {
      schema,
      tool,
      input: this.#whole.input(),
      settings,
      engine: this.#whole.engine(),
      cases,
      skipped,
      ...this.#whole.casts(),
      ...(sizes && { sampling: samplingOf(cases, sizes) }),
      ...(this.#firstShown && { firstShown: this.#firstShown }),
      ...(part && { part }),
    };
  }
}
