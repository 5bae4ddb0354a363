import { percent, share } from "../../report/numbers.js";
import { ClassBar } from "../controls/class-bar.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import type { Classroom } from "../learn/classroom.js";
import type { Learner } from "../learn/duel.js";
import { RewardChart } from "../learn/reward-chart.js";
import { lastStep, recentMean, trainings } from "../learn/state.js";
import { talkLearning } from "./scenes.js";

const labels = ["bf16 in-place", "bf16 + fp32 master"] as const;
const inks = ["chosen", "master"] as const;

/**
 * Two models in training: the curves of right answers, and the classes of each one's updates.
 *
 * @param still shows only the end.
 */
export function LearnScene({ classroom, still = false }: { classroom: Classroom; still?: boolean }) {
  const frame = classroom.frame.value;
  const step = frame?.step ?? 0;
  const shown = frame !== null && (!still || step === lastStep) ? frame : null;
  const rewards = shown ? classroom.rewards.value : ([[], []] as const);
  const outcome = shown ? classroom.outcome.value : null;
  return (
    <div class="learn-scene" data-step={step} data-ready={outcome !== null}>
      <div>
        <RewardChart
          rewards={rewards}
          labels={labels}
          base={trainings[talkLearning.run].base}
          // The figures beside are of all sums then, and no means of steps.
          ends={outcome === null}
        />
        <p class="key">
          Share of a step's 128 answers that are right, mean of 20 steps; dashed: before training.
        </p>
      </div>
      <div class="learners">
        {labels.map((label, i) => {
          const answers = outcome?.learners[i] ?? recentMean(rewards[i]);
          const learner = shown?.learners[i];
          return (
            <div class={inks[i]} key={label} data-learner={inks[i]}>
              <p class="curves-key">
                <i class={inks[i]} /> <b>{label}</b>
              </p>
              <p>
                <b class={`figure ${i === 0 ? "lost" : "kept"}`}>
                  {answers === null ? "–" : `${Math.round(100 * answers)}%`}
                </b>{" "}
                right{outcome && <small> of all 10,000 sums</small>}
              </p>
              {learner && learner.counted.totals.elements > 0 && <Updates of={learner} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Updates({ of: learner }: { of: Learner }) {
  const { totals } = learner.counted;
  const updates = nonzeroUpdates(totals);
  const [what, part] = totals.kept > 0 ? (["kept", totals.kept] as const) : (["lost", totals.lost] as const);
  return (
    <>
      <ClassBar counts={totals} rounding={learner.counted.rounding} />
      <p class="key">
        of its updates that were not zero, {percent(share(part, updates))} {what},{" "}
        {percent(share(totals.moved, updates))} moved
      </p>
    </>
  );
}
