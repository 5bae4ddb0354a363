import { type Fields, misread } from "../location.js";
import type { Visit } from "../place.js";

/** What of the address a view did not take: a link with a slip in it is not silently another one. */
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
