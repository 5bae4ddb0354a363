import { printable } from "../lens/printable.js";
import type { Case, MomentCounts } from "../lens/run/case.js";
import type { Result } from "../lens/run/result.js";
import { type Block, inDocument, note, onTerminal, section, table, tableOf, text } from "./blocks/block.js";
import { caseLabels } from "./labels.js";
import { count, missing, percentIn, sampleOf, share } from "./numbers.js";

type Columns = Parameters<typeof tableOf<Case>>[1];

/** Runs of recipes: why weights did not move, the lens of the moments, and where recipes differ. */
export function recipeBlocks(result: Result): Block[] {
  const { cases } = result;
  if (cases.every(({ recipe }) => recipe === null)) return [];
  const percent = percentIn(sampleOf(result));
  const labels = caseLabels(cases);
  const notes = verificationNotes(result);
  const stored = (heading: string) => [heading, (_: Case, i: number) => labels[i]] as const;
  const moments: Columns = [
    ["m lost", (caseResult) => percent(lostShare(caseResult.moments, "m"))],
    ["v lost", (caseResult) => percent(lostShare(caseResult.moments, "v"))],
  ];
  return [
    onTerminal(() => [
      table(
        tableOf(cases, [
          stored("unmoved because of"),
          ...causes.map(
            ([, heading, cause]) =>
              [heading, (caseResult: Case) => percent(shareOfUnmoved(caseResult, cause))] as const,
          ),
        ]),
      ),
      table(tableOf(cases, [stored("updates of moments"), ...moments])),
      cases.length > 1 ? table(partingTable(cases)) : null,
      note(...notes),
    ]),
    inDocument(() => [
      section("Why weights stood still, by recipe", [
        text([
          "Of the weight-steps that did not move the stored weight, the cause; of the updates of the moments, what was lost.",
        ]),
        table(
          tableOf(cases, [
            stored("stored as"),
            ["recipe of", ({ recipe }) => recipe?.of ?? missing],
            ...causes.map(
              ([heading, , cause]) =>
                [
                  heading,
                  (caseResult: Case) =>
                    caseResult.causes === null
                      ? missing
                      : `${count(caseResult.causes[cause])} (${percent(shareOfUnmoved(caseResult, cause))})`,
                ] as const,
            ),
            ...moments,
            ["parted from the first", partedAtEnd],
          ]),
          { notes },
        ),
      ]),
    ]),
  ];
}

type Cause = keyof NonNullable<Case["causes"]>;

/** The causes: full heading, short heading for a terminal, and name in the result. */
const causes: readonly (readonly [heading: string, brief: string, cause: Cause])[] = [
  ["storage", "storage", "storage"],
  ["epsilon", "epsilon", "epsilon"],
  ["moment underflow", "moment", "momentUnderflow"],
  ["weight decay", "decay", "weightDecay"],
  ["gradient zero", "gradient 0", "gradient"],
];

/** The share of a cause among the weight-steps that did not move the stored weight. */
function shareOfUnmoved({ causes: counts, totals }: Case, cause: Cause): number | null {
  return counts === null ? null : share(counts[cause], totals.none + totals.lost + totals.kept);
}

/**
 * The share of lost updates among the nonzero updates of the first or second moment; null if it does not exist:
 * Adafactor has no first, SGD and Muon no second moment.
 */
export function lostShare(moments: readonly MomentCounts[], momentName: "m" | "v"): number | null {
  const moment = moments.find(({ name }) => name.toLowerCase() === momentName);
  return moment ? share(moment.lost, moment.lost + moment.kept + moment.moved) : null;
}

/** Where the stored weights of each recipe differ from those of the first. */
function partingTable(cases: readonly Case[]) {
  const [first, ...others] = caseLabels(cases);
  return tableOf(cases.slice(1), [
    [`parting from ${first}`, (_, i) => others[i]],
    [
      "at step",
      ({ steps }) => String(steps.find(({ parted }) => parted !== null && parted > 0)?.step ?? missing),
    ],
    ["weights at the end", partedAtEnd],
  ]);
}

function partedAtEnd({ end }: Case): string {
  return end.parted === null ? missing : count(end.parted);
}

/**
 * The releases with which recipes were compared, which may differ from those they are named after; and which recipes
 * were not compared with their framework in the case's format.
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
