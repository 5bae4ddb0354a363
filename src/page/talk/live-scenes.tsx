import type { Case } from "../../lens/run/case.js";
import { percent, ratio, share, shareOfWeights } from "../../report/numbers.js";
import { ClassBar } from "../controls/class-bar.js";
import { nonzeroUpdates } from "../controls/nonzero-updates.js";
import type { Frame } from "../tensor/frame.js";
import { SizeHistogram } from "../tensor/histogram.js";
import { WeightsPicture } from "../tensor/weights-picture.js";
import { audienceHeight } from "./audience-height.js";
import { manyLabels, type RunName, talkRuns } from "./scenes.js";

/** The frame of a run; null if there is none, or if it is still one of another run. */
function frameOf(run: RunName, frame: Frame | null): Frame | null {
  const { side, storages } = talkRuns[run];
  return frame?.side === side && frame.cases.length === storages.length + 1 ? frame : null;
}

function unchanged(caseResult: Case): string {
  return percent(shareOfWeights(caseResult, caseResult.end.unchanged));
}

interface Shown {
  /** The index of the case in the run. */
  readonly of: number;
  readonly label: string;
  /** The name of the figure in tests. */
  readonly fact: string;
  readonly tone: "lost" | "kept" | "plain";
  readonly weights: string;
}

/** What a checkpoint shows: a bf16 view of an fp32 master, and weights stored in bf16 only. */
const published: readonly Shown[] = [
  {
    of: 0,
    label: "bf16 view of an fp32 master",
    fact: "unchanged-view",
    tone: "plain",
    weights: "bf16 weights",
  },
  { of: 1, label: "bf16 in-place", fact: "unchanged-in-place", tone: "lost", weights: "bf16 weights" },
];

const against: readonly Shown[] = [
  { of: 0, label: "bf16 in-place", fact: "unchanged-bf16", tone: "lost", weights: "bf16 weights" },
  { of: 1, label: "the same updates in fp32", fact: "unchanged-fp32", tone: "kept", weights: "fp32 weights" },
];

export function ApparentScene({ frame }: { frame: Frame | null }) {
  return <Pair run="view" shown={published} frame={frame} />;
}

export function TruthScene({ frame }: { frame: Frame | null }) {
  return <Pair run="pair" shown={against} frame={frame} />;
}

function Pair({ run, shown, frame }: { run: RunName; shown: readonly Shown[]; frame: Frame | null }) {
  const now = frameOf(run, frame);
  return (
    <div class="pictures-scene">
      <div class="pictures">
        {shown.map(({ of: caseIndex, label, fact, tone, weights }) => {
          const found = now?.cases[caseIndex];
          return (
            <div class="big" key={label}>
              <WeightsPicture
                pixels={found?.pixels ?? null}
                side={talkRuns[run].side}
                description={`Weights, ${label}; those whose bits changed are coloured`}
              >
                <b>{label}</b>
              </WeightsPicture>
              <p>
                <b class={`figure ${tone}`} data-fact={fact}>
                  {found ? unchanged(found.run) : "–"}
                </b>
                <span>
                  of the {weights} unchanged
                  <small>after {now?.step ?? 0} steps</small>
                </span>
              </p>
            </div>
          );
        })}
      </div>
      <Legend />
    </div>
  );
}

const keys = [
  ["larger", "larger"],
  ["smaller", "smaller"],
  ["same", "same bits as at the start"],
] as const;

function Legend() {
  return (
    <p class="key">
      <span>One pixel is one weight:</span>
      {keys.map(([ink, text]) => (
        <span key={ink}>
          <i class={ink} /> {text}
        </span>
      ))}
    </p>
  );
}

const leastSizesHeight = 240;

/**
 * The classes of all updates, and why.
 *
 * @param still for a page to print.
 */
export function LostScene({ frame, still = false }: { frame: Frame | null; still?: boolean }) {
  const stored = frameOf("pair", frame)?.cases[0].run;
  if (!stored) return null;
  const { none, lost, moved } = stored.totals;
  const updates = nonzeroUpdates(stored.totals);
  return (
    <div class="lost-scene">
      <p class="figures">
        <span>
          <b class="figure">{percent(share(lost, updates))}</b> lost
        </span>
        <span>
          <b class="figure kept">{percent(share(moved, updates))}</b> moved
        </span>
        <span>
          <b class="figure none">{percent(share(none, updates + none))}</b> zero
        </span>
      </p>
      <ClassBar counts={stored.totals} rounding={stored.rounding} />
      <SizeHistogram
        of={stored}
        large
        height={still ? leastSizesHeight : audienceHeight(leastSizesHeight, 0.36)}
      />
    </div>
  );
}

/** The same updates with every way of storing weights. */
export function KeptScene({ frame }: { frame: Frame | null }) {
  const now = frameOf("many", frame);
  return (
    <div class="pictures-scene">
      <div class="many" data-step={now?.step ?? 0}>
        {manyLabels.map((label, c) => {
          const found = now?.cases[c];
          return (
            <div key={label} data-storage={label}>
              <WeightsPicture
                pixels={found?.pixels ?? null}
                side={talkRuns.many.side}
                description={`Weights stored ${label}; those whose bits changed are coloured`}
              >
                <b>{label}</b>
              </WeightsPicture>
              <dl>
                <Measure name="unchanged" text={found ? unchanged(found.run) : "–"} />
                <Measure name="retained" text={found ? ratio(found.run.end.retained) : "–"} strong />
                <Measure name="visible" text={found ? ratio(found.run.end.visible) : "–"} />
                <Measure name="noise" text={found ? ratio(found.run.end.noise) : "–"} />
              </dl>
            </div>
          );
        })}
      </div>
      <Legend />
    </div>
  );
}

function Measure({ name, text, strong = false }: { name: string; text: string; strong?: boolean }) {
  return (
    <div class={strong ? "strong" : ""}>
      <dd data-measure={name}>{text}</dd>
      <dt>{name}</dt>
    </div>
  );
}
