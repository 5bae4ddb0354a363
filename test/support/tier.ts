/**
 * Tests come in two tiers. The quick one, `npm test`, proves every claim of the README. The full one,
 * `npm run test:full`, adds the files named `*.full.test.ts` and larger samples. Which tier a file runs in depends on
 * its group (test/groups.ts).
 */
export const fullTier = process.env.TEST_TIER === "full";

/** The size of a sample: that of the quick tier or that of the full one. */
export function sized<T>({ quick, full }: { readonly quick: T; readonly full: T }): T {
  return fullTier ? full : quick;
}
