import { addedCasts } from "../cast.js";
import { joinedSpread, type Spread } from "../spread.js";
import { EndTally, UpdateTally } from "../tally.js";
import type { Case } from "./case.js";
import { countedCase, curveOf } from "./counted.js";
import type { Result, ResultEngine, ResultOptimizer } from "./result.js";
import { sharedIdentityOf, summarizeCounted } from "./summarize.js";

/**
 * Adds up results of the same cases and steps over different tensors, such as the shards of a checkpoint
 * counted on different machines. The sum equals one run over all of them, bit for bit.
 *
 * Synthetic runs cannot be added up: gradients are scaled by the norm over all tensors, and sampling
 * estimates and first-shown steps are not sums of parts.
 *
 * @param results at least one, in any order; tensors are listed in that order, and all engines are named.
 * @returns one result.
 * @throws RangeError if the results are of different kinds, or synthetic, or share a tensor.
 * @example
 * const part = async (name) => {
 *   const one = await lens({ format: "bf16", data: Uint16Array.of(0x3f80) }, Float32Array.of(1e-3), { name });
 *   const input = { kind: "arrays", weights: null, updates: null, gradients: null, tensors: 1, elements: 1, stepNumbers: [0], metadata: {} };
 *   const settings = { optimizer: null, overflow: "ieee", seed: 0, strict: false };
 *   const engine = { name: "reference", device: "CPU", selfCheck: { passed: 34, failed: 0, firstFailure: null } };
 *   return { schema: "precision-lens/2", tool: { name: "precision-lens", version: "0" }, input, settings, engine, cases: [one], skipped: [] };
 * };
 * mergeResults([await part("a"), await part("b")]).cases[0].totals.lost; // 2
 */
export function mergeResults(results: readonly Result[]): Result {
  const [first, ...others] = results;
  if (!first) throw new RangeError("no result to merge");
  if (results.length > 1 && results.some(({ part }) => part !== undefined)) {
    throw new RangeError("of shards: mergeShards adds them up");
  }
  if (others.length > 0 && results.some(isWhole)) {
    const what = results.some(({ merge }) => merge !== undefined)
      ? "the merge of an adapter"
      : "a synthetic run";
    throw new RangeError(`${what} is no part of a larger one`);
  }
  for (const other of others) expectMergeable(first, other);
  const seen = new Set<string>();
  for (const { name } of results.flatMap((result) => result.cases[0]?.tensors ?? [])) {
    if (seen.has(name)) throw new RangeError(`tensor "${name}" is in two of the results`);
    seen.add(name);
  }
  const total = (count: (result: Result) => number) =>
    results.reduce((sum, result) => sum + count(result), 0);
  const { casts: _, ...rest } = first;
  return {
    ...rest,
    input: {
      ...first.input,
      weights: joined(results.map(({ input }) => input.weights)),
      updates: joined(results.map(({ input }) => input.updates)),
      gradients: joined(results.map(({ input }) => input.gradients)),
      ...(results.some(({ input }) => input.moments !== undefined) && {
        moments: joined(results.map(({ input }) => input.moments ?? null))!,
      }),
      tensors: total(({ input }) => input.tensors),
      elements: total(({ input }) => input.elements),
      metadata: Object.assign({}, ...results.map(({ input }) => input.metadata)),
    },
    settings: {
      ...first.settings,
      optimizer: mergedOptimizer(results.map(({ settings }) => settings.optimizer)),
    },
    engine: mergedEngine(results.map(({ engine }) => engine)),
    cases: first.cases.map((_, i) => mergeCases(results.map((result) => result.cases[i]))),
    ...mergedCasts(results),
    skipped: results.flatMap(({ skipped }) => skipped),
  };
}

/** Those of formats that all results have; a result of an earlier build has none. */
function mergedCasts([{ casts = [] }, ...others]: readonly Result[]): Pick<Result, "casts"> {
  const merged = casts.flatMap((first) => {
    const all = [
      first,
      ...others.map((result) => result.casts?.find(({ format }) => format === first.format)),
    ];
    const known = all.filter((cast) => cast !== undefined);
    return known.length < all.length ? [] : [addedCasts(known)];
  });
  return merged.length > 0 ? { casts: merged } : {};
}

function isWhole({ input, sampling, firstShown, merge }: Result): boolean {
  return (
    merge !== undefined || input.kind === "synthetic" || sampling !== undefined || firstShown !== undefined
  );
}

/** Settings that a recording has by tensor may differ from shard to shard. */
function natureOf(optimizer: ResultOptimizer): object {
  const { name, recorded } = optimizer;
  return recorded ? { name, recorded } : optimizer;
}

function mergedOptimizer(parts: readonly (ResultOptimizer | null)[]): ResultOptimizer | null {
  const all = parts.filter((part) => part !== null);
  const [first] = all;
  if (first?.recorded === undefined) return first ?? null;
  const stepsTaken = all.flatMap((optimizer) => optimizer.stepsTaken ?? []);
  const over = (spreadOf: (each: ResultOptimizer) => Spread) => joinedSpread(all.map(spreadOf));
  return {
    ...first,
    lr: over(({ lr }) => lr),
    betas: [over(({ betas }) => betas[0]), over(({ betas }) => betas[1])],
    eps: over(({ eps }) => eps),
    weightDecay: over(({ weightDecay }) => weightDecay),
    ...(stepsTaken.length > 0 && { stepsTaken: joinedSpread(stepsTaken) }),
  };
}

/** Each engine once, in the order of their names, whatever the order of the parts. */
function mergedEngine(engines: readonly ResultEngine[]): ResultEngine {
  const distinct = (list: readonly string[]) => [...new Set(list)].sort();
  const each = new Map(
    engines.map(({ name, device, selfCheck }) => [JSON.stringify([name, device, selfCheck]), selfCheck]),
  );
  const checks = [...each].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, check]) => check);
  const sum = (terms: readonly number[]) => terms.reduce((total, n) => total + n, 0);
  const handedOver = sum(engines.map(({ handedOver = 0 }) => handedOver));
  const remarks = distinct(engines.flatMap(({ remark }) => remark ?? []));
  return {
    name: distinct(engines.map(({ name }) => name)).join(", "),
    device: distinct(engines.map(({ device }) => device)).join("; "),
    selfCheck: {
      passed: sum(checks.map(({ passed }) => passed)),
      failed: sum(checks.map(({ failed }) => failed)),
      firstFailure: checks.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
    },
    ...(handedOver > 0 && { handedOver }),
    ...(remarks.length > 0 && { remark: remarks.join(" ") }),
  };
}

function joined(names: readonly (string | null)[]): string | null {
  const known = names.filter((name) => name !== null);
  return known.length > 0 ? known.join(", ") : null;
}

function expectMergeable(a: Result, b: Result): void {
  const nature = ({ schema, input, settings, cases }: Result) =>
    JSON.stringify([
      schema,
      input.kind,
      input.stepNumbers,
      { ...settings, optimizer: settings.optimizer && natureOf(settings.optimizer) },
      cases.map((caseResult) => [
        caseResult.format,
        caseResult.rounding,
        caseResult.scheme,
        caseResult.opmath,
        caseResult.recipe,
        sharedIdentityOf(caseResult),
        caseResult.steps.map(({ step }) => step),
        curveOf(caseResult).map(({ step }) => step),
      ]),
    ]);
  if (nature(a) !== nature(b)) {
    throw new RangeError("the results are not of the same input kind, steps, settings and cases");
  }
}

/** Adds up one case over different tensors. Valid for at least one, of the same settings and steps. */
export function mergeCases(cases: readonly Case[]): Case {
  const counted = cases.map(countedCase);
  const { format, rounding, scheme, opmath, recipe } = cases[0];
  return summarizeCounted(
    { format, rounding, scheme, opmath, recipe, ...sharedIdentityOf(cases[0]) },
    {
      tensors: counted.flatMap(({ tensors }) => tensors),
      steps: counted[0].steps.map(({ step }, i) => {
        const tally = new UpdateTally();
        for (const { steps } of counted) tally.merge(steps[i].tally);
        return { step, tally };
      }),
      curve: counted[0].curve.map(({ step }, i) => {
        const end = new EndTally();
        for (const { curve } of counted) end.merge(curve[i].end);
        return { step, elements: counted.reduce((sum, { curve }) => sum + curve[i].elements, 0), end };
      }),
    },
  );
}
