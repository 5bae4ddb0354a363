import { otherNote } from "../../report/diff-notes.js";
import { nonfiniteInPair, nothingFinite, weightsCounted } from "../../report/nonfinite.js";
import { count, percent, percentAtMost, share } from "../../report/numbers.js";
import { leftOutSentences } from "../../report/skipped.js";
import { Name } from "../controls/name.js";
import { Scroll } from "../controls/scroll.js";
import type { PairFindings } from "./look-at.js";
import { mostRows } from "./run-report.js";
import { Skipped } from "./skipped.js";

/** The share of weights that no update touched; where files do not tell, what they tell of it. */
function realText({ realSparsity, realSparsityAtMost }: PairFindings["summary"]["totals"]): string {
  if (realSparsity !== null) return percent(realSparsity);
  return realSparsityAtMost === null ? "unknown" : percentAtMost(realSparsityAtMost);
}

/** Two checkpoints, weight by weight. */
export function PairReport({ findings }: { findings: PairFindings }) {
  const { files, summary, unknown, skipped } = findings;
  const { totals, kinds, tensors } = summary;
  const [before, after] = files;
  const weights = weightsCounted(totals.nonfinite);
  const compared = new Set(tensors.map(({ formats }) => formats.compared));
  const common = compared.size === 1 ? [...compared][0] : null;
  return (
    <article class="findings" data-kind="pair">
      {leftOutSentences(skipped, totals.elements).map((sentence) => (
        <p class="what" data-fact="left-out" key="left-out">
          {sentence}
        </p>
      ))}
      {nonfiniteInPair(totals).map((sentence) => (
        <p class="what" data-fact="nonfinite" key="nonfinite">
          {sentence}
        </p>
      ))}
      <h2 class="answer">
        {totals.apparentSparsity === null ? (
          nothingFinite
        ) : (
          <>
            <strong data-fact="unchanged" data-count={totals.unchanged}>
              {percent(totals.apparentSparsity)}
            </strong>{" "}
            of the {weights} are identical{common && ` as ${common}`}
            {totals.hidden === null ? ". " : "; "}
            {totals.hidden === null ? (
              "Two such files do not show how many of them moved by less than the format resolves."
            ) : (
              <>
                <strong data-fact="hidden" data-count={totals.hidden}>
                  {percent(share(totals.hidden, totals.unchanged))}
                </strong>{" "}
                of those differ at full precision.
              </>
            )}
          </>
        )}
      </h2>
      <p class="what">
        <Name text={before} /> before, <Name text={after} /> after: {count(totals.elements)} weights in{" "}
        {count(totals.tensors)} tensors
      </p>
      <div class="panel">
        <div class="bar" aria-hidden="true">
          <span
            style={{ width: `${100 * share(totals.changed, totals.elements)!}%`, background: "var(--moved)" }}
          />
          <span
            style={{
              width: `${100 * (share(totals.hidden ?? 0, totals.elements) ?? 0)}%`,
              background: "var(--lost)",
            }}
          />
          <span
            style={{
              width: `${100 * (share(totals.nonfinite, totals.elements) ?? 0)}%`,
              background: "var(--nonfinite)",
              marginLeft: "auto",
            }}
          />
        </div>
        <dl class="facts">
          <div>
            <dt>changed</dt>
            <dd data-fact="changed" data-count={totals.changed}>
              {count(totals.changed)}
            </dd>
          </div>
          <div>
            <dt>unchanged</dt>
            <dd>{count(totals.unchanged)}</dd>
          </div>
          <div>
            <dt>hidden by the format</dt>
            <dd>{totals.hidden === null ? "unknown" : count(totals.hidden)}</dd>
          </div>
          <div>
            <dt>of the {weights} really never updated</dt>
            <dd data-fact="real">{realText(totals)}</dd>
          </div>
          {totals.nonfinite > 0 && (
            <div>
              <dt>NaN or Inf, in no share</dt>
              <dd>{count(totals.nonfinite)}</dd>
            </div>
          )}
        </dl>
        {unknown.hidden && <p class="note">What the format hides is unknown: {unknown.hidden}.</p>}
        {unknown.realSparsity && (
          <p class="note">What was never updated is unknown: {unknown.realSparsity}.</p>
        )}
      </div>
      {otherNote(summary).map((note) => (
        <p class="note" key={note}>
          {note}
        </p>
      ))}
      {totals.nonfinite > 0 && <p class="counted-of">Unchanged: of the {weights}.</p>}
      <Scroll label="Modules and tensors">
        <table>
          <caption class="visually-hidden">Unchanged weights by kind of module</caption>
          <thead>
            <tr>
              <th scope="col">module</th>
              <th scope="col">weights</th>
              <th scope="col">unchanged</th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(({ kind, elements, apparentSparsity }) => (
              <tr key={kind}>
                <th scope="row">{kind}</th>
                <td>{count(elements)}</td>
                <td>{percent(apparentSparsity)}</td>
              </tr>
            ))}
          </tbody>
          <tbody>
            {tensors.slice(0, mostRows).map(({ name, elements, apparentSparsity }) => (
              <tr key={name}>
                <th scope="row">
                  <Name text={name} />
                </th>
                <td>{count(elements)}</td>
                <td>{percent(apparentSparsity)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <Skipped skipped={skipped} />
    </article>
  );
}
