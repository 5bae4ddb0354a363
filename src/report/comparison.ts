import {
  type Achievement,
  type Crossover,
  crossover,
  isPaired,
  type Outcome,
  type PassAt,
  passRates,
} from "../lens/learning/outcome.js";
import { type ComparedRun, type RunComparison, storageOf } from "../lens/learning/run-comparison.js";
import { printable } from "../lens/printable.js";
import { tableOf } from "./blocks/block.js";
import type { NumberTable } from "./charts/figure.js";
import { csvOf, fields } from "./csv-text.js";
import { caseLabel } from "./labels.js";
import { displacementCounted, nonfiniteSentences } from "./nonfinite.js";
import { count, counted, missing, percent, ratio, share } from "./numbers.js";
import { endsOf } from "./shareable.js";
import { rateText } from "./sweep.js";

/** The k of the pass@k shown. */
const shownCounts = [1, 32];

/** One row per run. */
export function comparisonTable(result: RunComparison): NumberTable {
  const { runs } = result;
  const stored = storageNames(result);
  const names = namesOf(runs);
  const tasks = [...new Set(runs.flatMap(({ outcome }) => outcome?.heldOut.map(({ name }) => name) ?? []))];
  const ofOutcome =
    (textOf: (outcome: Outcome) => string) =>
    ({ outcome }: ComparedRun) =>
      outcome === null ? missing : textOf(outcome);
  const columns: Parameters<typeof tableOf<ComparedRun>>[1] = [
    ["updates zero", ({ totals }) => percent(totals.realSparsity)],
    ["not moved", ({ totals }) => percent(totals.apparentSparsity)],
    ["unchanged", ({ totals, end }) => percent(share(end.unchanged, totals.elements - end.nonfinite))],
    ["retained", ({ end }) => ratio(end.retained)],
    ...shownCounts.map((k) => [`pass@${k}`, ofOutcome(({ base, run }) => fromTo(base, run, k))] as const),
    [
      "below base from k",
      ofOutcome(({ base, run }) => (base && run ? crossoverText(crossover(base, run)) : missing)),
    ],
    ["KL forward", ofOutcome(({ run }) => numberText(run?.klForward))],
    ["KL reverse", ofOutcome(({ run }) => numberText(run?.klReverse))],
    ...tasks.map((task) => {
      const heldOut = ofOutcome((outcome) => {
        const found = outcome.heldOut.find(({ name }) => name === task);
        return found ? fromTo(found.base, found.run, 1) : missing;
      });
      return [`${printable(task)} pass@1`, heldOut] as const;
    }),
  ];
  // Columns that are empty for all runs are omitted; a note below says so.
  const told = columns.filter(([, textOf]) => runs.some((run, i) => textOf(run, i) !== missing));
  const storage: typeof columns = stored.one === null ? [["stored as", (_, i) => stored.names[i]]] : [];
  return tableOf(runs, [["run", (_, i) => names[i]], ...storage, ...told]);
}

/** How the updates of each run were stored to be counted; `one` way if it is the same for all that were counted. */
export function storageNames(result: RunComparison): { names: string[]; one: string | null } {
  const names = result.runs.map((run) =>
    run.uncounted === undefined ? caseLabel({ ...storageOf(result, run), opmath: "fp32" }) : missing,
  );
  const [one = caseLabel({ ...result.settings, opmath: "fp32" }), ...others] = new Set(
    names.filter((name) => name !== missing),
  );
  return { names, one: others.length === 0 ? one : null };
}

/** The answer in sentences: the run that retains least, and runs that fall behind their base. */
export function comparisonHeadline(result: RunComparison): string[] {
  const { runs } = result;
  const names = runNames(runs);
  const stored = storageNames(result);
  const counted = runs.filter(({ uncounted }) => uncounted === undefined);
  const asIf = counted.some(({ storedAs }) => storedAs === undefined) ? "As if stored as" : "Stored as";
  const how = stored.one === null ? "Stored each in its own way" : `${asIf} ${stored.one}`;
  const nameOf = (i: number) => (stored.one === null ? `${names[i]} (${stored.names[i]})` : names[i]);
  const known = runs.flatMap(({ end }, i) => (end.retained === null ? [] : [{ i, retained: end.retained }]));
  const ascending = known.toSorted((a, b) => a.retained - b.retained);
  const [least, most] = [ascending[0], ascending.at(-1)];
  const behind = runs.flatMap(({ outcome }, i) => {
    if (!outcome?.base || !outcome.run) return [];
    const from = crossover(outcome.base, outcome.run);
    return from === null ? [] : [behindInWords(names[i], from)];
  });
  // Where the digits shown do not tell runs apart, neither does the sentence.
  const alike = percent(least?.retained ?? null) === percent(most?.retained ?? null);
  const who =
    !least || (alike && runs.length > 1 && known.length === runs.length) ? "every run" : nameOf(least.i);
  const range = !most || alike ? "" : `; most is retained by ${nameOf(most.i)}, ${percent(most.retained)}`;
  return [
    ...nonfiniteSentences(runs, names, "in"),
    least
      ? `${how}, ${who} retains ${percent(least.retained)} of its fp32 displacement${range}.`
      : counted.length === 0
        ? "None of these runs has updates that were counted."
        : `No update of these runs is finite and not zero. ${how}.`,
    ...behind,
  ];
}

function behindInWords(name: string, { k, beyondChance }: Crossover): string {
  if (beyondChance) return `${name} falls behind its base at pass@${k}.`;
  const why =
    beyondChance === null ? "whether by chance is unknown without counts by prompt" : "but not beyond chance";
  return `${name} is below its base at pass@${k}, ${why}.`;
}

/** A "?" marks what chance may explain. */
function crossoverText(from: Crossover | null): string {
  if (from === null) return "none";
  return from.beyondChance ? String(from.k) : `${from.k}?`;
}

/** One row for each k of pass@k that a run states, or a single row. */
export function renderComparisonCsv({ runs }: RunComparison): string {
  const rows = runs.flatMap((run) => {
    const { base, run: reached } = run.outcome ?? {};
    const basePassAt = new Map(base ? passRates(base).map(({ k, mean }) => [k, mean]) : []);
    const rates: Partial<PassAt>[] = reached ? [...passRates(reached)] : [];
    return (rates.length > 0 ? rates : [{}]).map((rate) => ({
      run,
      rate,
      base: basePassAt.get(rate.k ?? 0),
    }));
  });
  type Row = (typeof rows)[number];
  return csvOf(rows, [
    ["run", ({ run }) => run.path],
    ...fields(
      ["elements", "steps", "none", "lost", "kept", "moved", "nonfinite"],
      ({ run }: Row) => run.totals,
    ),
    ...fields(["unchanged", "retained"], ({ run }: Row) => run.end),
    ["k", ({ rate }) => rate.k],
    ["basePassAt", ({ base }) => base],
    ["runPassAt", ({ rate }) => rate.mean],
    ["runHalf", ({ rate }) => rate.half],
  ]);
}

/** Names of runs by the ends of their paths. */
export function runNames(runs: readonly ComparedRun[]): string[] {
  return endsOf(runs.map(({ path }) => path)).map((name) => printable(name));
}

function namesOf(runs: readonly ComparedRun[]): string[] {
  return endsOf(runs.map(({ path }) => path)).map((name, i) => {
    const { run, lr } = runs[i].metadata;
    // Python writes 1e-05.
    const rate = lr === undefined || Number.isNaN(Number(lr)) ? lr : rateText(Number(lr));
    const words = [run, rate === undefined ? undefined : `lr ${rate}`].filter((word) => word !== undefined);
    return printable(words.length === 0 ? name : `${name} (${words.join(", ")})`);
  });
}

function fromTo(base: Achievement | null, run: Achievement | null, k: number): string {
  const at = (achievement: Achievement | null) =>
    achievement ? passRates(achievement).find((rate) => rate.k === k) : undefined;
  const [from, to] = [at(base), at(run)];
  if (!to) return missing;
  return from ? `${passText(from)} -> ${passText(to)}` : passText(to);
}

function passText({ mean, half }: PassAt): string {
  const digits = mean > 0.99 && mean < 1 ? 4 : 3;
  return half === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${half.toFixed(digits)}`;
}

function numberText(x: number | null | undefined): string {
  return x === null || x === undefined ? missing : x.toPrecision(3);
}

/**
 * The meaning of the columns, and why cells are empty.
 *
 * @param nameOf the name of a run.
 */
export function comparisonNotes(
  result: RunComparison,
  nameOf = (run: ComparedRun, _index: number) => printable(run.path),
): string[] {
  const { settings, runs } = result;
  const named = runs.map((run, i) => ({ ...run, name: nameOf(run, i) }));
  const without = named.filter(({ outcome }) => outcome === null).map(({ name }) => name);
  const untold = named.filter(({ outcome }) => outcome !== null && (outcome.run?.klForward ?? null) === null);
  const skipped = named.filter((run) => run.skipped.length > 0);
  const nonfinite = Math.max(...runs.map(({ end }) => end.nonfinite));
  const counts = named.filter(({ uncounted }) => uncounted === undefined);
  const asIf = counts.filter(({ storedAs }) => storedAs === undefined).map(({ name }) => name);
  const toldBy = "as its recording says";
  const ifStored = `as if stored as ${caseLabel({ ...settings, opmath: "fp32" })}`;
  const countedAs =
    asIf.length === counts.length
      ? ifStored
      : asIf.length === 0
        ? `of each run ${toldBy}`
        : `of each run ${toldBy}; ${ifStored} where it does not say: ${asIf.join(", ")}`;
  const compared = named.flatMap(({ name, outcome }) => {
    const { base, run } = outcome ?? {};
    const from = base && run ? crossover(base, run) : null;
    return base && run ? [{ name, base, run, from }] : [];
  });
  const apart = compared.filter(({ base, run }) => base.correct && run.correct && !isPaired(base, run));
  return [
    `Updates counted ${countedAs}; retained: the share of the ` +
      `${displacementCounted(nonfinite)} that weight and carrier hold at the end. ±: 95% over prompts. KL in nats; forward is of the base to the run.`,
    ...(compared.some(({ from }) => from?.beyondChance === false || from?.beyondChance === null)
      ? ["Below base from k, with ?: within the 95% interval of the difference, or there is no interval."]
      : []),
    ...apart.map(
      ({ name, base, run }) =>
        `${name}: its base answered ${counted(base.correct!.length, "prompt")}, the run ${count(run.correct!.length)}, so they are not compared prompt by prompt.`,
    ),
    ...named.flatMap(({ name, uncounted }) =>
      uncounted === undefined ? [] : [`${name} was not counted: ${printable(uncounted)}.`],
    ),
    ...(without.length > 0 ? [`No outcome.json, so no pass@k and no KL: ${without.join(", ")}.`] : []),
    ...(untold.length > 0 ? [`No KL in outcome.json: ${untold.map(({ name }) => name).join(", ")}.`] : []),
    ...skipped.map(({ name, skipped: left }) => `${name}: ${count(left.length)} tensors were not counted.`),
  ];
}
