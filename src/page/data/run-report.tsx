import { caseLabels } from "../../report/labels.js";
import { count, percent, ratio, share, shareOfWeights } from "../../report/numbers.js";
import { leftOutSentences } from "../../report/skipped.js";
import { ClassBar, ClassCounts } from "../controls/class-bar.js";
import { EngineBadge } from "../controls/engine-badge.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import { Scroll } from "../controls/scroll.js";
import type { RunFindings } from "./look-at.js";
import { Skipped } from "./skipped.js";

/** A recorded run, stored in several ways. */
export function RunReport({ findings }: { findings: RunFindings }) {
  const { cases, files, stepNumbers, tensors, elements, skipped, engine } = findings;
  const [first] = cases;
  const labels = caseLabels(cases);
  const unchanged = shareOfWeights(first, first.end.unchanged);
  return (
    <article class="findings" data-kind="run">
      {leftOutSentences(skipped, elements).map((sentence) => (
        <p class="what" data-fact="left-out" key="left-out">
          {sentence}
        </p>
      ))}
      <h2 class="answer">
        Stored as {first.format} in-place, <strong>{percent(first.totals.hiddenShare)}</strong> of the updates
        that were not zero are hidden; <strong>{percent(unchanged)}</strong> of the weights end as they began,
        and an fp32 run would have changed{" "}
        <strong>{percent(share(first.end.hidden, first.end.unchanged))}</strong> of them.
      </h2>
      <p class="what">
        {files.join(" and ")}: {count(elements)} weights in {count(tensors)} tensors,{" "}
        {count(stepNumbers.length)} steps
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
              unchanged at the end, <b>{percent(share(caseResult.end.hidden, caseResult.end.unchanged))}</b>{" "}
              of these hidden; of the fp32 displacement{" "}
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
                <th scope="row">{tensor.name}</th>
                <td>{count(tensor.totals.elements)}</td>
                <td>{percent(share(tensor.totals.moved, nonzeroUpdates(tensor.totals)))}</td>
                <td>{percent(share(tensor.totals.lost, nonzeroUpdates(tensor.totals)))}</td>
                <td>{percent(shareOfWeights(tensor, tensor.end.unchanged))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="counted-of">Moved and lost: of the updates that were not zero, stored as {labels[0]}.</p>
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
