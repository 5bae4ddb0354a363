import type { Class } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import { stackedClasses } from "../../report/charts/palette.js";
import { count, percent, share } from "../../report/numbers.js";
import { classWordsOf } from "../../report/rounding-words.js";

type Counts = Readonly<Record<Class, number>>;

/** The page stores weights without shared scales: nothing is collateral. */
const shownClasses: readonly Class[] = stackedClasses.filter((className) => className !== "collateral");

/** The classes as one stacked bar; decoration beside the numbers. */
export function ClassBar({ counts }: { counts: Counts }) {
  const all = shownClasses.reduce((sum, className) => sum + counts[className], 0);
  return (
    <div class="bar" aria-hidden="true">
      {shownClasses.map((className) => {
        const part = all === 0 ? 0 : counts[className] / all;
        return part === 0 ? null : (
          <span key={className} style={{ width: `${100 * part}%`, background: `var(--${className})` }} />
        );
      })}
    </div>
  );
}

/** The five classes of a case, counted. */
export function ClassCounts({ of: { totals: counts, rounding }, label }: { of: Case; label: string }) {
  const words = classWordsOf({ rounding });
  const all = shownClasses.reduce((sum, className) => sum + counts[className], 0);
  return (
    <dl class="counts" aria-label={label}>
      {shownClasses.map((className) => (
        <div key={className} class={counts[className] === 0 ? "count empty" : "count"}>
          <dt>
            <i style={{ background: `var(--${className})` }} />
            {words[className]}
          </dt>
          <dd data-class={className} data-count={counts[className]}>
            <b>{percent(share(counts[className], all))}</b>
            <small>{count(counts[className])}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
