import { printable } from "../lens/printable.js";
import type { Case, MomentCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import type { Column } from "./columns.js";
import { caseLabels } from "./labels.js";
import { count, missing, type Percent, percentIn, sampleOf, share } from "./numbers.js";

/** Tables of a run whose updates an optimizer computed: why weights stood still, its moments, where recipes part. */
export function recipeBlocks(result: Result): (readonly Column[])[] {
  const { cases } = result;
  const percent = percentIn(sampleOf(result));
  if (cases.every(({ recipe }) => recipe === null)) return [];
  return [
    causeTable(cases, percent),
    momentTable(cases, percent),
    ...(cases.length > 1 ? [partingTable(cases)] : []),
  ];
}

/** Of the weight-steps that did not move the stored weight. */
function causeTable(cases: readonly Case[], percent: Percent): Column[] {
  const column = (heading: string, cause: keyof NonNullable<Case["causes"]>): Column => ({
    heading,
    align: "right",
    cells: cases.map(({ causes, totals }) =>
      causes === null ? missing : percent(share(causes[cause], totals.none + totals.lost + totals.kept)),
    ),
  });
  return [
    { heading: "unmoved because of", align: "left", cells: caseLabels(cases) },
    column("storage", "storage"),
    column("epsilon", "epsilon"),
    column("moment", "momentUnderflow"),
    column("decay", "weightDecay"),
    column("gradient 0", "gradient"),
  ];
}

/** The lens on the optimizer's own state: the share of the updates of a moment that its storage lost. */
function momentTable(cases: readonly Case[], percent: Percent): Column[] {
  const column = (heading: string, momentName: "m" | "v"): Column => ({
    heading,
    align: "right",
    cells: cases.map(({ moments }) => percent(lostShare(moments, momentName))),
  });
  return [
    { heading: "updates of moments", align: "left", cells: caseLabels(cases) },
    column("m lost", "m"),
    column("v lost", "v"),
  ];
}

/**
 * Of the updates of the first or second moment that were not zero, those that it lost; null where there is none: Adafactor has
 * no first, SGD and Muon no second.
 */
export function lostShare(moments: readonly MomentCounts[], momentName: "m" | "v"): number | null {
  const moment = moments.find(({ name }) => name.toLowerCase() === momentName);
  return moment ? share(moment.lost, moment.lost + moment.kept + moment.moved) : null;
}

/** Where the stored weights of each recipe leave those of the first. */
function partingTable(cases: readonly Case[]): Column[] {
  const [first, ...others] = caseLabels(cases);
  const rest = cases.slice(1);
  return [
    { heading: `parting from ${first}`, align: "left", cells: others },
    {
      heading: "at step",
      align: "right",
      cells: rest.map(({ steps }) => {
        const parting = steps.find(({ parted }) => parted !== null && parted > 0);
        return parting ? String(parting.step) : missing;
      }),
    },
    {
      heading: "weights at the end",
      align: "right",
      cells: rest.map(({ end }) => (end.parted === null ? missing : count(end.parted))),
    },
  ];
}

/**
 * What recipes were compared with, which need not be the release that they are named after; and of those that were
 * not compared with their framework in the format of their case, that they were not.
 */
export function verificationNotes({ cases }: Result): string[] {
  const compared = new Map<string, Set<string>>();
  const unverified = new Set<string>();
  for (const { recipe, format } of cases) {
    if (recipe === null || recipe.verified === "by definition") continue;
    const { verified } = recipe;
    const name = printable(recipe.name);
    if (verified === null) unverified.add(`${name} in ${printable(format)}`);
    else compared.set(verified, (compared.get(verified) ?? new Set()).add(name));
  }
  const notes = [...compared].map(([by, names]) => `Compared ${printable(by)}: ${[...names].join(", ")}.`);
  if (unverified.size === 0) return notes;
  const names = [...unverified].join(", ");
  return [
    ...notes,
    `* Unverified: written from sources or papers, not compared bit for bit with a run: ${names}.`,
  ];
}
