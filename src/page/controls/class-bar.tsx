import type { Class } from "../../lens/classify.js";
import type { Case } from "../../lens/run/case.js";
import { staysByChance } from "../../report/charts/class-ink.js";
import { stackedClasses } from "../../report/charts/palette.js";
import { updatesCounted, weightsCounted } from "../../report/nonfinite.js";
import { count, percent, share } from "../../report/numbers.js";
import { classWordsOf } from "../../report/rounding-words.js";
import { nonzeroUpdates } from "./nonzero-updates.js";

type Counts = Readonly<Record<Class, number>>;

/** The tensor view has no shared scales, so nothing is collateral. */
const shownClasses: readonly Class[] = stackedClasses.filter((className) => className !== "collateral");

/** The name of a class's colour in the style sheet. */
function inkName(className: Class, rounded: Pick<Case, "rounding">): string {
  return staysByChance(className, rounded) ? "ink by-chance" : `ink ${className}`;
}

/** The classes as one stacked bar; decorative, because the numbers are next to it. */
export function ClassBar({ counts, rounding }: { counts: Counts; rounding: Case["rounding"] }) {
  const all = shownClasses.reduce((sum, className) => sum + counts[className], 0);
  return (
    <div class="bar" aria-hidden="true">
      {shownClasses.map((className) => {
        const part = all === 0 ? 0 : counts[className] / all;
        return part === 0 ? null : (
          <span
            key={className}
            class={inkName(className, { rounding })}
            style={{ width: `${100 * part}%` }}
          />
        );
      })}
    </div>
  );
}

/** The counts of a case's five classes. */
export function ClassCounts({
  of: { totals: counts, rounding, scheme },
  label,
}: {
  of: Case;
  label: string;
}) {
  const words = classWordsOf({ rounding, scheme });
  const updates = nonzeroUpdates(counts);
  /** Zeros are a share of all updates; what is not finite is in no ratio. */
  const shareOf = (className: Class) => {
    if (className === "nonfinite") return null;
    return share(counts[className], className === "none" ? updates + counts.none : updates);
  };
  return (
    <>
      <dl class="counts" aria-label={label}>
        {shownClasses.map((className) => (
          <div key={className} class={counts[className] === 0 ? "count empty" : "count"}>
            <dt>
              <i class={inkName(className, { rounding })} />
              {words[className]}
            </dt>
            <dd data-class={className} data-count={counts[className]}>
              <b>{percent(shareOf(className))}</b>
              <small>{count(counts[className])}</small>
            </dd>
          </div>
        ))}
      </dl>
      <p class="counted-of">
        Shares are of the {updatesCounted(counts.nonfinite)}; of zero, of all updates
        {counts.nonfinite > 0 && ` of ${weightsCounted(counts.nonfinite)}`}.
      </p>
    </>
  );
}
