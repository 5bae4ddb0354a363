import { Powers } from "../controls/powers.js";
import { changedOthers, largestAt, type SharedStep } from "./shared-step.js";
import { scaleText } from "./words.js";

/** The meaning of the chart's marks, with their counts. */
export function BlockLegend({ step }: { step: SharedStep }) {
  const { scales, weights } = step;
  const others = changedOthers(step);
  const same = weights.filter(({ before, after }, i) => i !== largestAt && before === after).length;
  const own = weights[largestAt].becomes;
  const shown = [...new Set([scales.before, scales.after])].map(scaleText);
  const ownWords = {
    none: "no update",
    lost: "lost",
    kept: "kept by the master",
    moved: "moved",
    nonfinite: "not finite",
    collateral: "changed by the scale",
  }[own];
  return (
    <ul class="block-key">
      <li>
        scale{" "}
        <b data-fact="scale">
          <Powers text={shown.join(" → ")} />
        </b>
      </li>
      <li>
        <i class="collateral" /> changed by the scale alone:{" "}
        <b data-fact="others" data-count={others}>
          {others}
        </b>
      </li>
      <li>
        <i class="same" /> the same as before:{" "}
        <b data-fact="same" data-count={same}>
          {same}
        </b>
      </li>
      <li>
        <i class={own} /> the updated weight: <b data-fact="own">{ownWords}</b>
      </li>
      <li>
        <i class="before" /> before
      </li>
    </ul>
  );
}
