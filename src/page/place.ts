import { signal } from "@preact/signals";
import { type Place, parsePlace, placeText, type ViewName } from "./location.js";

/**
 * Only this file writes the address. A view stores its state through its visit, and an ended visit cannot write, so
 * that late work, such as a frame that arrives after its view was left, changes nothing.
 */

/** A visit of a view, from navigating there until leaving it. */
export class Visit implements Place {
  constructor(
    readonly view: ViewName,
    /** The parameters of the address at the start of the visit. */
    readonly parameters: Place["parameters"],
  ) {}

  /** Writes the state of the view to the address without a history entry. */
  note(parameters: Place["parameters"]): void {
    if (visit.peek() === this) want(placeText({ view: this.view, parameters }));
  }
}

/** The current visit; returning to a view starts a new one. */
export const visit = signal(visitOf(parsePlace(location.hash)));

/** Milliseconds between changes of the address. Browsers allow at most 100 in ten seconds. */
const pause = 150;

/** The fragment last written or read, and the one to write. */
let written = location.hash;
let wanted = written;
let lastWritten = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;

addEventListener("hashchange", () => {
  // Our own changes trigger this event too.
  if (location.hash !== written) arrive(parsePlace(location.hash));
});

/** Navigates to another place, like a link. */
export function go(to: Place): void {
  write();
  location.hash = placeText(to);
  arrive(to);
}

function arrive(to: Place): void {
  clearTimeout(timer);
  timer = undefined;
  written = location.hash;
  wanted = written;
  visit.value = visitOf(to);
}

function visitOf({ view, parameters }: Place): Visit {
  return new Visit(view, parameters);
}

function want(fragment: string): void {
  wanted = fragment;
  const left = lastWritten + pause - performance.now();
  if (left <= 0) write();
  else timer ??= setTimeout(write, left);
}

/** Writes the address if it differs. */
function write(): void {
  clearTimeout(timer);
  timer = undefined;
  // If the address has changed, the user navigated elsewhere: `hashchange` follows.
  if (wanted === written || location.hash !== written) return;
  lastWritten = performance.now();
  // Throws for some pages opened from disk.
  try {
    history.replaceState(null, "", wanted);
  } catch {
    location.replace(wanted);
  }
  written = location.hash;
}
