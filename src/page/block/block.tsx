import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { blockFormat, rulesOf } from "../../format/block/block-format.js";
import type { ScaleRuleName } from "../../format/block/scale-rule.js";
import { NumberField, Select } from "../controls/fields.js";
import { Misread } from "../controls/misread.js";
import { Powers } from "../controls/powers.js";
import { readState, writeState } from "../location.js";
import type { Visit } from "../place.js";
import { usePlayed } from "../weight/use-played.js";
import { BlockChart } from "./block-chart.js";
import { BlockLegend } from "./legend.js";
import { leastThatMovesScale, sharedStep } from "./shared-step.js";
import {
  type BlockViewState,
  blockFields,
  formatName,
  type ShownFormat,
  shownFormats,
  shownSchemes,
} from "./state.js";
import { blockFinding, tensorScaleNote } from "./words.js";

/** Frames of the animation from no update to the first one shown. */
const pictures = 90;

const formatOptions = shownFormats.map((value) => ({ value, label: value }));
const schemeOptions = shownSchemes.map((value) => ({
  value,
  label: value === "master" ? "fp32 master" : value,
}));

/** One block of weights that share a scale, and the effect of one update on the others. */
export function BlockView({ visit }: { visit: Visit }) {
  const state = useSignal(readState(blockFields, visit.parameters));
  const touched = useSignal(false);
  const played = usePlayed(pictures);
  const { format, rule, scheme, u } = state.value;
  const name = formatName({ format, rule });
  const update = touched.value ? u : (u * played) / pictures;
  const step = useMemo(() => sharedStep({ format: name, scheme }, update), [name, scheme, update]);
  const least = useMemo(() => leastThatMovesScale({ format: name, scheme }), [name, scheme]);
  const said = blockFinding(step);
  const rules = rulesOf(blockFormat(format));

  useEffect(() => visit.note(writeState(blockFields, state.value)), [state.value]);
  const change = (part: Partial<BlockViewState>) => {
    touched.value = true;
    state.value = { ...state.peek(), ...part };
  };
  /** In another format the scale moves at another update, so the update is set to that. */
  const store = (part: Partial<Pick<BlockViewState, "format" | "rule" | "scheme">>) => {
    const { u: _, ...next } = { ...state.peek(), ...part };
    const found = leastThatMovesScale({ format: formatName(next), scheme: next.scheme });
    change({ ...part, u: Number((1.01 * found).toPrecision(3)) });
  };

  return (
    <section class="block" aria-labelledby="block-title">
      <h1 id="block-title" class="finding">
        <Powers text={said.scale} /> <span class="lens collateral">{said.others}</span>
      </h1>
      <Misread visit={visit} fields={blockFields} />
      <div class="block-settings">
        <Select
          label="Format"
          value={format}
          options={formatOptions}
          onChange={(value) => store({ format: value as ShownFormat })}
        />
        <Select
          label="Scale rule"
          value={blockFormat(name).rule.name}
          options={rules.map((value) => ({ value, label: value }))}
          onChange={(value) => store({ rule: value as ScaleRuleName })}
        />
        <Select
          label="Scheme"
          value={scheme}
          options={schemeOptions}
          onChange={(value) => store({ scheme: value as BlockViewState["scheme"] })}
        />
        <NumberField
          label="Update u"
          value={u}
          field={blockFields.u}
          onChange={(value) => change({ u: value })}
        />
        <p class="buttons">
          <button type="button" onClick={() => change({ u: 0 })}>
            No update
          </button>
          <button
            type="button"
            class="primary"
            onClick={() => change({ u: Number((1.01 * least).toPrecision(3)) })}
          >
            Move the scale
          </button>
        </p>
      </div>
      <BlockChart step={step} least={least} onUpdate={(value) => change({ u: rounded(value) })} />
      <BlockLegend step={step} />
      <p class="reason">
        {step.weights.length} weights share one scale: what is stored of each is a code of{" "}
        {step.blocks.element.bits} bits, and its number is the code's times the scale. The scale follows from
        the largest weight. If it moves, the representable numbers change for all of them.{" "}
        {tensorScaleNote(step)} Drag w + u.
      </p>
    </section>
  );
}

/** Rounds to the resolution of dragging by a pixel. */
function rounded(update: number): number {
  return Number(update.toFixed(5));
}
