import { signal } from "@preact/signals";
import { type Place, parsePlace, placeText, type ViewName } from "./location.js";

/**
 * The address has one owner, this file. A view notes its state through its visit, and a visit that is over cannot write:
 * work that ends late, such as a frame that was on its way when its view was left, changes nothing.
 */

/** One stay at a view, from arriving there until the page goes elsewhere. */
export class Visit implements Place {
  constructor(
    readonly view: ViewName,
    /** Those of the address that was arrived at. */
    readonly parameters: Place["parameters"],
  ) {}

  /** Shows the state of the view in the address, without a step in the history. */
  note(parameters: Place["parameters"]): void {
    if (visit.peek() === this) want(placeText({ view: this.view, parameters }));
  }
}

/** The present one: a view that is arrived at again begins anew. */
export const visit = signal(visitOf(parsePlace(location.hash)));

/** Milliseconds from one change of the address to the next. Browsers take no more than 100 in ten seconds. */
const pause = 150;

/** The fragment as this file left or found it, and as it is to be. */
let written = location.hash;
let wanted = written;
let lastWritten = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;

addEventListener("hashchange", () => {
  // Own changes come back here too, after they were made.
  if (location.hash !== written) arrive(parsePlace(location.hash));
});

/** Goes to another place, as a link would. */
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

/** Makes the address what it is to be; nothing where it is that already. */
function write(): void {
  clearTimeout(timer);
  timer = undefined;
  // Where the address is another, the page was sent elsewhere: `hashchange` comes next.
  if (wanted === written || location.hash !== written) return;
  lastWritten = performance.now();
  // Refused for some pages from disk.
  try {
    history.replaceState(null, "", wanted);
  } catch {
    location.replace(wanted);
  }
  written = location.hash;
}
