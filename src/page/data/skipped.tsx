import type { SkippedTensor } from "../../lens/input.js";
import { count } from "../../report/numbers.js";
import { Name } from "../controls/name.js";

/** The excluded tensors, with reasons. */
export function Skipped({ skipped }: { skipped: readonly SkippedTensor[] }) {
  if (skipped.length === 0) return null;
  return (
    <details class="skipped">
      <summary>{count(skipped.length)} left out</summary>
      <ul>
        {skipped.slice(0, 100).map(({ name, reason }) => (
          <li key={name}>
            <b>
              <Name text={name} />
            </b>{" "}
            {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
