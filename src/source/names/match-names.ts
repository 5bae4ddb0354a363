import { wrappers } from "../../lens/module-table.js";

/** The properties by which tensors are matched. */
export interface Named {
  readonly name: string;
  readonly shape: readonly number[];
}

/** For names of AFTER that BEFORE lacks, the names in BEFORE. */
export interface MatchedNames {
  /** The name in BEFORE by that in AFTER. */
  readonly names: ReadonlyMap<string, string>;
  /** What was done, as sentences without a full stop. */
  readonly notes: readonly string[];
}

/**
 * Matches the names of two checkpoints of one model that differ by wrappers (`module.`, `_orig_mod.`) or by a
 * common prefix. Shapes must agree.
 */
export function matchNames(
  before: ReadonlyMap<string, Named>,
  after: ReadonlyMap<string, Named>,
): MatchedNames {
  const names = new Map<string, string>();
  const notes: string[] = [];
  const taken = new Set<string>();
  const left = () => ({
    from: [...before.values()].filter(({ name }) => !after.has(name) && !taken.has(name)),
    to: [...after.values()].filter(({ name }) => !before.has(name) && !names.has(name)),
  });
  const take = (rule: Rule) => {
    for (const [to, from] of rule.pairs) {
      names.set(to, from);
      taken.add(from);
    }
    const count = rule.pairs.length === 1 ? "1 tensor" : `${rule.pairs.length} tensors`;
    notes.push(`${rule.text} (${count})`);
  };
  const wrapped = byWrappers(left());
  if (wrapped) take(wrapped);
  // Further prefixes for the names that the first one leaves, such as those of a second tower.
  for (let rounds = 0; rounds < 3; rounds++) {
    const rule = byPrefix(left());
    if (rule === null) break;
    take(rule);
  }
  return { names, notes };
}

interface Rule {
  readonly text: string;
  /** Names in AFTER and in BEFORE. */
  readonly pairs: readonly (readonly [to: string, from: string])[];
}

interface Left {
  readonly from: readonly Named[];
  readonly to: readonly Named[];
}

const wrapperTexts = wrappers
  .map(([pattern]) => pattern)
  .filter((pattern) => /^(?:module|_\w+|base_model\.model|pretrained_model)$/.test(pattern));

/** The name without wrappers; inside of names only those that are never module names. */
function unwrapped(name: string): string {
  let rest = name;
  for (const text of wrapperTexts) {
    while (rest.startsWith(`${text}.`)) rest = rest.slice(text.length + 1);
    if (text.startsWith("_")) rest = rest.replaceAll(`.${text}.`, ".");
  }
  return rest;
}

function byWrappers({ from, to }: Left): Rule | null {
  const plain = uniqueBy(from, ({ name }) => unwrapped(name));
  const pairs = to.flatMap(({ name, shape }): [string, string][] => {
    const twin = plain.get(unwrapped(name));
    return twin && `${twin.shape}` === `${shape}` ? [[name, twin.name]] : [];
  });
  const isOne = new Set(pairs.map(([, twin]) => twin)).size === pairs.length;
  if (pairs.length === 0 || !isOne) return null;
  const removed = wrapperTexts.filter((text) =>
    pairs.some((pair) => pair.some((name) => name !== unwrapped(name) && `.${name}`.includes(`.${text}.`))),
  );
  const texts = removed.map((text) => `"${text}."`).join(" and ");
  return { text: `names were matched without ${texts}`, pairs };
}

/** The prefix by which at least half of the names of the smaller side differ; null if there is none. */
function byPrefix({ from, to }: Left): Rule | null {
  const bySuffix = new Map<string, Named | null>();
  for (const named of from) {
    for (const suffix of suffixesOf(named.name)) bySuffix.set(suffix, bySuffix.has(suffix) ? null : named);
  }
  const rules = new Map<string, { a: string; b: string; pairs: [string, string][] }>();
  for (const { name, shape } of to) {
    const suffix = suffixesOf(name).find((each) => bySuffix.has(each));
    const twin = suffix === undefined ? null : bySuffix.get(suffix);
    if (!twin || `${twin.shape}` !== `${shape}`) continue;
    // The last segment alone is not enough evidence for two longer names.
    if (!suffix!.includes(".") && suffix !== name && suffix !== twin.name) continue;
    const [a, b] = [twin.name, name].map((whole) => whole.slice(0, whole.length - suffix!.length));
    // A different layer number is not a different prefix.
    if (isNumbered(a) && isNumbered(b)) continue;
    // Nor is a different tower, such as encoder and decoder.
    if (!isWithin(a, b) && !isWithin(b, a)) continue;
    const rule = rules.get(`${a} ${b}`) ?? { a, b, pairs: [] };
    rule.pairs.push([name, twin.name]);
    rules.set(`${a} ${b}`, rule);
  }
  const [best] = [...rules.values()].sort((x, y) => y.pairs.length - x.pairs.length);
  if (best === undefined || 2 * best.pairs.length < Math.min(from.length, to.length)) return null;
  const { a, b, pairs } = best;
  return { text: `names were matched by writing "${a}" for "${b}"`, pairs };
}

/** The suffixes of a name that begin at a segment, the longest first. */
function suffixesOf(name: string): string[] {
  const segments = name.split(".");
  return segments.map((_, i) => segments.slice(i).join("."));
}

/** Whether the segments of a prefix are a subsequence of those of another. */
function isWithin(shorter: string, longer: string): boolean {
  const segments = longer.split(".");
  return shorter.split(".").every((segment) => {
    const at = segments.indexOf(segment);
    segments.splice(0, at + 1);
    return at >= 0;
  });
}

function isNumbered(prefix: string): boolean {
  return /(?:^|\.)\d+(?:\.|$)/.test(prefix);
}

/** Items by key, without those that share a key. */
function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T> {
  const found = new Map<string, T | null>();
  for (const item of items) found.set(keyOf(item), found.has(keyOf(item)) ? null : item);
  return new Map([...found].filter((entry): entry is [string, T] => entry[1] !== null));
}
