import { signal } from "@preact/signals";
import { type Place, parsePlace, placeText } from "./location.js";

/** Where the page is. */
export const place = signal<Place>(parsePlace(location.hash));

/** Counts arrivals from elsewhere: a view that is given new parameters begins anew. */
export const arrivals = signal(0);

addEventListener("hashchange", () => {
  // Own changes come back here too, after the signal has them.
  if (location.hash === placeText(place.value)) return;
  place.value = parsePlace(location.hash);
  arrivals.value += 1;
});

/** Goes to another place, as a link would. */
export function go(to: Place): void {
  place.value = to;
  arrivals.value += 1;
  location.hash = placeText(to);
}

/** Notes a change of the present view's state in the address, without a step in the history. */
export function note(at: Place): void {
  place.value = at;
  // Refused for some pages from disk; the page works all the same.
  try {
    history.replaceState(null, "", placeText(at));
  } catch {
    location.hash = placeText(at);
  }
}
