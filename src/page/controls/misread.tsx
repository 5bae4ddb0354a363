import { type Fields, misread } from "../location.js";
import type { Visit } from "../place.js";

/** Lists the parameters of the address that a view rejected, so that a mistyped link does not silently differ. */
export function Misread<T extends object>({ visit, fields }: { visit: Visit; fields: Fields<T> }) {
  const sentences = misread(fields, visit.parameters);
  if (sentences.length === 0) return null;
  return (
    <div class="problem" role="alert">
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}
