import type { Class } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import { staysByChance } from "../../report/charts/class-ink.js";
import { stackedClasses } from "../../report/charts/palette.js";
import { count, percent, share } from "../../report/numbers.js";
import { classWordsOf } from "../../report/rounding-words.js";

type Counts = Readonly<Record<Class, number>>;

/** The page stores weights without shared scales: nothing is collateral. */
const shownClasses: readonly Class[] = stackedClasses.filter((of) => of !== "collateral");

/** The name under which the style sheet has the colour of a class. */
function inkName(of: Class, rounded: Pick<Case, "rounding">): string {
  return staysByChance(of, rounded) ? "ink by-chance" : `ink ${of}`;
}

/** The classes as one stacked bar; decoration beside the numbers. */
export function ClassBar({ counts, rounding }: { counts: Counts; rounding: Case["rounding"] }) {
  const all = shownClasses.reduce((sum, of) => sum + counts[of], 0);
  return (
    <div class="bar" aria-hidden="true">
      {shownClasses.map((of) => {
        const part = all === 0 ? 0 : counts[of] / all;
        return part === 0 ? null : (
          <span key={of} class={inkName(of, { rounding })} style={{ width: `${100 * part}%` }} />
        );
      })}
    </div>
  );
}

/** The five classes of a case, counted. */
export function ClassCounts({
  of: { totals: counts, rounding, scheme },
  label,
}: {
  of: Case;
  label: string;
}) {
  const words = classWordsOf({ rounding, scheme });
  const all = shownClasses.reduce((sum, of) => sum + counts[of], 0);
  return (
    <dl class="counts" aria-label={label}>
      {shownClasses.map((of) => (
        <div key={of} class={counts[of] === 0 ? "count empty" : "count"}>
          <dt>
            <i class={inkName(of, { rounding })} />
            {words[of]}
          </dt>
          <dd data-class={of} data-count={counts[of]}>
            <b>{percent(share(counts[of], all))}</b>
            <small>{count(counts[of])}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
