import { caseLabels } from "../../report/labels.js";
import {
  displacementCounted,
  nonfiniteSentences,
  nothingCounted,
  updatesCounted,
  weightsCounted,
} from "../../report/nonfinite.js";
import { count, percent, ratio, share, shareOfWeights } from "../../report/numbers.js";
import { leftOutSentences } from "../../report/skipped.js";
import { ClassBar, ClassCounts } from "../controls/class-bar.js";
import { EngineBadge } from "../controls/engine-badge.js";
import { Name } from "../controls/name.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import { Scroll } from "../controls/scroll.js";
import type { RunFindings } from "./look-at.js";
import { Skipped } from "./skipped.js";

/** A recorded run, stored in several ways. */
export function RunReport({ findings }: { findings: RunFindings }) {
  const { cases, files, stepNumbers, tensors, elements, skipped, engine } = findings;
  const [first] = cases;
  const labels = caseLabels(cases);
  const { nonfinite } = first.totals;
  const unchanged = shareOfWeights(first, first.end.unchanged);
  return (
    <article class="findings" data-kind="run">
      {leftOutSentences(skipped, elements).map((sentence) => (
        <p class="what" data-fact="left-out" key="left-out">
          {sentence}
        </p>
      ))}
      {nonfiniteSentences(cases, labels).map((sentence) => (
        <p class="what" data-fact="nonfinite" key="nonfinite">
          {sentence}
        </p>
      ))}
      <h2 class="answer">
        {unchanged === null ? (
          nothingCounted(first)
        ) : (
          <>
            Stored as {first.format} in-place, <strong>{percent(first.totals.hiddenShare)}</strong> of the{" "}
            {updatesCounted(nonfinite)} are hidden; <strong>{percent(unchanged)}</strong> of the{" "}
            {weightsCounted(first.end.nonfinite)} end as they began
            {first.end.unchanged > 0 && (
              <>
                , and an fp32 run would have changed{" "}
                <strong>{percent(share(first.end.hidden, first.end.unchanged))}</strong> of them
              </>
            )}
            .
          </>
        )}
      </h2>
      <p class="what">
        <Name text={files[0]} /> and <Name text={files[1]} />: {count(elements)} weights in {count(tensors)}{" "}
        tensors, {count(stepNumbers.length)} steps
      </p>
      <div class="panel">
        {cases.map((caseResult, i) => (
          <section class="case" key={labels[i]} data-case={labels[i]}>
            <h3>{labels[i]}</h3>
            <ClassBar counts={caseResult.totals} rounding={caseResult.rounding} />
            <ClassCounts of={caseResult} label={`Updates, ${labels[i]}`} />
            <p>
              <b data-fact="unchanged" data-count={caseResult.end.unchanged}>
                {percent(shareOfWeights(caseResult, caseResult.end.unchanged))}
              </b>{" "}
              of the {weightsCounted(caseResult.end.nonfinite)} unchanged at the end
              {caseResult.end.unchanged > 0 && (
                <>
                  , <b>{percent(share(caseResult.end.hidden, caseResult.end.unchanged))}</b> of these hidden
                </>
              )}
              ; of the {displacementCounted(caseResult.end.nonfinite)}{" "}
              <b data-fact="retained">{ratio(caseResult.end.retained)}</b> retained,{" "}
              <b>{ratio(caseResult.end.visible)}</b> visible
            </p>
          </section>
        ))}
      </div>
      <Scroll label="Tensors">
        <table>
          <caption class="visually-hidden">Tensors, stored as {labels[0]}</caption>
          <thead>
            <tr>
              <th scope="col">tensor</th>
              <th scope="col">weights</th>
              <th scope="col">moved</th>
              <th scope="col">lost</th>
              <th scope="col">unchanged</th>
            </tr>
          </thead>
          <tbody>
            {first.tensors.slice(0, mostRows).map((tensor) => (
              <tr key={tensor.name}>
                <th scope="row">
                  <Name text={tensor.name} />
                </th>
                <td>{count(tensor.totals.elements)}</td>
                <td>{percent(share(tensor.totals.moved, nonzeroUpdates(tensor.totals)))}</td>
                <td>{percent(share(tensor.totals.lost, nonzeroUpdates(tensor.totals)))}</td>
                <td>{percent(shareOfWeights(tensor, tensor.end.unchanged))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="counted-of">
        Moved and lost: of the {updatesCounted(nonfinite)}, stored as {labels[0]}
        {first.end.nonfinite > 0 && `; unchanged: of the ${weightsCounted(first.end.nonfinite)}`}.
      </p>
      {first.tensors.length > mostRows && <p>and {count(first.tensors.length - mostRows)} more</p>}
      <Skipped skipped={skipped} />
      <footer class="foot">
        <EngineBadge engine={engine} />
      </footer>
    </article>
  );
}

/** The maximum number of rows: more would make the page slow; `report --html` has all. */
export const mostRows = 400;
