/** One number, or what several lie between. */
export type Spread = number | { readonly least: number; readonly most: number };

/** What numbers lie between; one number where they are all the same. Valid for at least one. */
export function spread(numbers: Iterable<number>): Spread {
  let [least, most] = [Infinity, -Infinity];
  for (const x of numbers) {
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  return least === most ? least : { least, most };
}

/** The spread of several. */
export function joinedSpread(spreads: readonly Spread[]): Spread {
  return spread(spreads.flatMap((each) => (typeof each === "number" ? each : [each.least, each.most])));
}
