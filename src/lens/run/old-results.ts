import { sweepAnswers } from "../study/sweep.js";

/** Unvalidated JSON. */
type Json = { readonly [name: string]: unknown };

/**
 * Converts a saved result of an earlier schema: fields under current names, missing ones null. Anything else
 * is unchanged, and malformed input is left for schema validation.
 *
 * `precision-lens/1` and `precision-lens-sweep/1` had one measure, of the stored bits (`end.effectiveDescent`, now
 * `end.visible`). Where no carrier holds anything `end.retained` is the same. The answers of a sweep went by it, and are
 * given again by what is retained, as far as that is known. Until then `e4m3` named the IEEE-like format of that shape.
 */
export function upgraded(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (value.schema === "precision-lens/1") {
    return upgraded({ ...value, schema: "precision-lens/2", cases: mapped(value.cases, upgradedCase) });
  }
  if (value.schema === "precision-lens/2")
    return { ...value, cases: mapped(value.cases, withoutSharedScales) };
  if (value.schema === "precision-lens-sweep/1") return upgraded(upgradedSweep(value));
  if (value.schema === "precision-lens-sweep/2") return { ...value, cells: mapped(value.cells, withZeros) };
  if (value.schema === "precision-lens-diff/1") return upgradedDiff(value);
  if (value.schema === "precision-lens-prediction/1") return { ...value, format: nameOf(value.format) };
  return value;
}

/** Results had no weights whose scales are shared, and did not say so. */
function withoutSharedScales(json: Json): Json {
  const steps = mapped(json.steps, withZerosOf);
  return { ...withZeros(json), steps, tensors: mapped(json.tensors, withZeros) };
}

function withZeros(counts: Json): Json {
  const { totals } = counts;
  return isObject(totals) ? { ...counts, totals: withZerosOf(totals) } : counts;
}

function withZerosOf(counts: Json): Json {
  return "zeros" in counts ? counts : { ...counts, collateral: 0, zeros: counts.none };
}

function upgradedCase(json: Json): Json {
  const end = (counts: Json) => ({ ...counts, end: upgradedEnd(counts.end, json.scheme) });
  return {
    ...end(json),
    format: nameOf(json.format),
    ...("curve" in json && { curve: mapped(json.curve, (point) => upgradedEnd(point, json.scheme)) }),
    tensors: mapped(json.tensors, end),
  };
}

function upgradedSweep(sweep: Json): Json {
  const cells = mapped(sweep.cells, (cell) => ({
    ...cell,
    format: nameOf(cell.format),
    end: upgradedEnd(cell.end, cell.scheme),
  }));
  try {
    const answers = sweepAnswers(
      cells as unknown as Parameters<typeof sweepAnswers>[0],
      sweep.settings as Parameters<typeof sweepAnswers>[1],
    );
    return { ...sweep, schema: "precision-lens-sweep/2", cells, ...answers };
  } catch {
    // Malformed: schema validation reports it.
    return { ...sweep, schema: "precision-lens-sweep/2", cells };
  }
}

/** Bytes were not counted: the delta's size was that of changed numbers. */
function upgradedDiff(diff: Json): Json {
  const counted = (counts: Json) => ({ ...counts, bytesChanged: null });
  const { totals, settings } = diff;
  return {
    ...diff,
    schema: "precision-lens-diff/2",
    settings: isObject(settings) ? { ...settings, view: nameOf(settings.view) } : settings,
    totals: isObject(totals) ? counted(totals) : totals,
    kinds: mapped(diff.kinds, counted),
    layers: mapped(diff.layers, counted),
    tensors: mapped(diff.tensors, (tensor) => {
      const { formats } = tensor;
      if (!isObject(formats)) return counted(tensor);
      const names = Object.entries(formats).map(([side, name]) => [side, nameOf(name)]);
      return { ...counted(tensor), formats: Object.fromEntries(names) };
    }),
  };
}

function upgradedEnd(end: unknown, scheme: unknown): unknown {
  if (!isObject(end)) return end;
  const { effectiveDescent, sums, ...counts } = end;
  const inPlace = scheme === "in-place";
  return {
    ...counts,
    visible: effectiveDescent,
    retained: inPlace ? effectiveDescent : null,
    noise: null,
    noiseToWeight: null,
    sums: isObject(sums)
      ? {
          ...sums,
          retainedProduct: inPlace ? sums.product : null,
          noiseSquared: null,
          weightSquared: null,
        }
      : sums,
  };
}

const ieeeLike: ReadonlySet<unknown> = new Set(["e4m3", "e2m1", "e2m3", "e3m2"]);

function nameOf(format: unknown): unknown {
  return ieeeLike.has(format) ? `${format}-ieee` : format;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapped(list: unknown, upgrade: (item: Json) => unknown): unknown {
  return Array.isArray(list) ? list.map((item) => (isObject(item) ? upgrade(item) : item)) : list;
}
