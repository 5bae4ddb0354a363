import { useId } from "preact/hooks";
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

/** A slider over the members of a list; a value between two of them stands at the nearer one below. */
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
    values.findLastIndex((of) => of <= value),
  );
  return (
    <div class="field">
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

/** A number as text, taken when it is one. */
export function NumberField(props: { label: string; value: number; onChange(value: number): void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autocomplete="off"
        spellcheck={false}
        value={String(props.value)}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          const x = Number(text);
          if (text !== "" && Number.isFinite(x)) props.onChange(x);
          else event.currentTarget.value = String(props.value);
        }}
      />
    </div>
  );
}
