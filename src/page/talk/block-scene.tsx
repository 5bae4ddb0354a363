import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { BlockChart } from "../block/block-chart.js";
import { BlockLegend } from "../block/legend.js";
import { changedOthers, leastThatMovesScale, sharedStep } from "../block/shared-step.js";
import { usualUpdate } from "../block/state.js";
import { usePlayed } from "../weight/use-played.js";
import { audienceHeight } from "./audience-height.js";

const stored = { format: "mxfp4", scheme: "master" } as const;
const pictures = 100;
const leastHeight = 350;

/**
 * One update that moves the scale of its block; it can be dragged.
 *
 * @param still shows it without animation.
 */
export function BlockScene({ still = false }: { still?: boolean }) {
  const played = usePlayed(pictures);
  const dragged = useSignal<number | null>(null);
  const update = dragged.value ?? (still ? usualUpdate : (usualUpdate * played) / pictures);
  const step = useMemo(() => sharedStep(stored, update), [update]);
  const least = useMemo(() => leastThatMovesScale(stored), []);
  const others = changedOthers(step);
  return (
    <div class="block-scene">
      <BlockChart
        step={step}
        least={least}
        height={still ? leastHeight : audienceHeight(leastHeight, 0.42)}
        onUpdate={(value) => {
          dragged.value = value;
        }}
      />
      <BlockLegend step={step} />
      <p>
        <b class="figure" data-fact="changed">
          {others}
        </b>{" "}
        of {step.weights.length - 1} weights changed without an update of their own.{" "}
        <span class="cue">↕ Drag w + u.</span>
      </p>
    </div>
  );
}
