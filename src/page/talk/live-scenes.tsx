import type { Case } from "../../lens/result.js";
import { percent, ratio, share, shareOfWeights } from "../../report/numbers.js";
import { ClassBar } from "../controls/class-bar.js";
import { SizeHistogram } from "../tensor/histogram.js";
import type { Player } from "../tensor/player.js";
import { WeightsPicture } from "../tensor/weights-picture.js";
import { manyLabels, talkRuns } from "./scenes.js";

function unchanged(of: Case): string {
  return percent(shareOfWeights(of, of.end.unchanged));
}

/** What bf16 shows; beside it, or not yet, what fp32 kept. */
export function PairScene({ player, truth }: { player: Player; truth: boolean }) {
  const frame = player.frame.value;
  const { side } = talkRuns.pair;
  const shown = truth ? [0, 1] : [0];
  const labels = ["bf16", "fp32"];
  return (
    <div class={truth ? "pictures two" : "pictures"}>
      {shown.map((c) => {
        const of = frame?.cases[c];
        return (
          <div class="big" key={labels[c]}>
            <WeightsPicture
              pixels={of && frame.side === side ? of.pixels : null}
              side={side}
              description={`Weights in ${labels[c]}; those whose bits changed are lit`}
            />
            <p>
              <b class={c === 0 ? "figure" : "figure kept"} data-fact={`unchanged-${labels[c]}`}>
                {of ? unchanged(of.run) : "–"}
              </b>
              <span>
                of the {labels[c]} weights unchanged
                <small>after {frame?.step ?? 0} steps</small>
              </span>
            </p>
          </div>
        );
      })}
    </div>
  );
}

/** What became of all updates, and why. */
export function LostScene({ player }: { player: Player }) {
  const stored = player.frame.value?.cases[0]?.run;
  if (!stored || player.frame.value!.cases.length !== 2) return null;
  const { none, lost, kept, moved } = stored.totals;
  const all = none + lost + kept + moved;
  return (
    <div class="lost-scene">
      <p class="figures">
        <span>
          <b class="figure">{percent(share(lost, all))}</b> lost
        </span>
        <span>
          <b class="figure kept">{percent(share(moved, all))}</b> moved
        </span>
        <span>
          <b class="figure none">{percent(share(none, all))}</b> really zero
        </span>
      </p>
      <ClassBar counts={stored.totals} />
      <SizeHistogram of={stored} />
    </div>
  );
}

/** The same updates stored in every way. */
export function KeptScene({ player }: { player: Player }) {
  const frame = player.frame.value;
  const { side } = talkRuns.many;
  return (
    <div class="many" data-step={frame?.step ?? 0}>
      {manyLabels.map((label, c) => {
        const of = frame?.cases.length === manyLabels.length ? frame.cases[c] : undefined;
        return (
          <div key={label} data-storage={label}>
            <WeightsPicture
              pixels={of?.pixels ?? null}
              side={side}
              description={`Weights stored ${label}; those whose bits changed are lit`}
            >
              <b>{label}</b>
            </WeightsPicture>
            <p>
              <b>{of ? unchanged(of.run) : "–"}</b> unchanged
            </p>
            <p>
              <b>{of ? ratio(of.run.end.retained) : "–"}</b> retained
            </p>
            <p>
              <b>{of ? ratio(of.run.end.visible) : "–"}</b> visible
            </p>
          </div>
        );
      })}
    </div>
  );
}
