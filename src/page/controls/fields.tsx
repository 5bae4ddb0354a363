import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Field } from "../location.js";
import type { Option } from "../settings.js";

/** A choice from a list. */
export function Select(props: {
  label: string;
  value: string;
  options: readonly Option[];
  onChange(value: string): void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A slider over the members of a list; a value between two of them is shown at the lower one. */
export function Slider(props: {
  label: string;
  values: readonly number[];
  value: number;
  text(value: number): string;
  onInput(value: number): void;
}) {
  const id = useId();
  const { values, value } = props;
  const at = Math.max(
    0,
    values.findLastIndex((candidate) => candidate <= value),
  );
  return (
    <div class="field slider">
      <label for={id}>
        {props.label} <output for={id}>{props.text(value)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={values.length - 1}
        step={1}
        value={at}
        aria-valuetext={props.text(value)}
        onInput={(event) => props.onInput(values[Number(event.currentTarget.value)])}
      />
    </div>
  );
}

/** A few choices side by side. */
export function Segments(props: {
  label: string;
  value: string | null;
  options: readonly Option[];
  onChange(value: string): void;
}) {
  const name = useId();
  return (
    <fieldset class="segments">
      <legend>{props.label}</legend>
      <div>
        {props.options.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name={name}
              value={value}
              checked={value === props.value}
              onChange={() => props.onChange(value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/**
 * A number as text. Invalid text shows an error next to the field and changes nothing, until it is corrected or the
 * number is set elsewhere.
 */
export function NumberField(props: {
  label: string;
  value: number;
  field: Field<number>;
  onChange(value: number): void;
}) {
  const id = useId();
  const { label, value, field, onChange } = props;
  const wrong = useSignal<string | null>(null);
  /** The text while it is edited: the page may be drawn again meanwhile, as an animation does. */
  const edited = useSignal<string | null>(null);
  useEffect(() => {
    wrong.value = null;
  }, [String(value)]);
  const problem =
    wrong.value === null ? null : `Expected ${field.values}, found ${JSON.stringify(wrong.value)}.`;
  const take = (text: string) => {
    const x = field.parse(text);
    wrong.value = x === undefined ? text : null;
    if (x !== undefined) onChange(x);
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autocomplete="off"
        spellcheck={false}
        value={edited.value ?? wrong.value ?? numberText(value)}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        onInput={(event) => {
          edited.value = event.currentTarget.value;
        }}
        onChange={(event) => {
          const text = event.currentTarget.value;
          edited.value = null;
          take(text);
        }}
        onBlur={() => {
          edited.value = null;
        }}
      />
      <p id={`${id}-problem`} class="field-problem" role="alert">
        {problem}
      </p>
    </div>
  );
}

/** A text that parses to the same number, with the sign of -0; small ones in the page's notation. */
function numberText(x: number): string {
  if (Object.is(x, -0)) return "-0";
  return x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
}
