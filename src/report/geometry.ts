import {
  type Geometry,
  type MeanMeasure,
  type MeanMeasures,
  type Measure,
  type MeasureName,
  type Measures,
  type ModelGeometry,
  measureNames,
  type NullName,
  type TensorGeometry,
} from "../lens/geometry-result.js";
import { printable } from "../lens/printable.js";
import { count, counted, missing, percent } from "./numbers.js";

/** The text and numbers of a geometry, for every renderer. */

/** The name of a measure in at most 34 characters, and its heading in a table by kind or layer. */
const names: Readonly<Record<MeasureName, readonly [label: string, short: string]>> = {
  size: ["size of the change, ||dW|| / ||W||", "size"],
  changed: ["weights changed", "changed"],
  principalOverlap: ["changes in the principal mask", "princ."],
  lowOverlap: ["changes in the low-magnitude mask", "low"],
  rowSpread: ["spread over rows", "rows"],
  columnSpread: ["spread over columns", "cols"],
  stableRank: ["stable rank of the change", "rank"],
  drift: ["drift of singular values (NSS)", "NSS"],
  angleLeftMedian: ["left angles, median (degrees)", "angle"],
  angleLeft90: ["left angles, 90th percentile", "left 90"],
  angleRightMedian: ["right angles, median", "right"],
  angleRight90: ["right angles, 90th percentile", "right 90"],
  energy16: ["energy in the top 16 directions", "top 16"],
  energy64: ["energy in the top 64 directions", "top 64"],
  energyQuarter: ["energy in the top quarter", "quarter"],
};

const shares: ReadonlySet<MeasureName> = new Set([
  "changed",
  "principalOverlap",
  "lowOverlap",
  "energy16",
  "energy64",
  "energyQuarter",
]);

const nullWords: Readonly<Record<NullName, string>> = {
  isotropic: "isotropic",
  signs: "shuffled signs",
  size: "size alone",
  storage: "storage alone",
  walk: "noise walk",
  chance: "chance",
};

export function measureLabel(name: MeasureName): string {
  return names[name][0];
}

export function shortLabel(name: MeasureName): string {
  return names[name][1];
}

export function nullLabel(name: NullName | null): string {
  return name === null ? missing : nullWords[name];
}

/** A measured or expected number. */
export function figure(name: MeasureName, x: number | null): string {
  if (x === null) return missing;
  if (shares.has(name)) return x >= 0.001 || x === 0 ? percentOf(x) : `${(100 * x).toPrecision(2)}%`;
  return digits(x);
}

/** With two decimals, because masks differ in the second. */
function percentOf(share: number): string {
  if (share === 0) return percent(0);
  return `${(100 * share).toFixed(2)}%`;
}

/** Three significant digits. */
function digits(x: number): string {
  if (x === 0) return "0";
  if (Math.abs(x) < 1e-3 || x >= 1e5) return x.toExponential(1);
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}

/** A ratio to the expected value, with two decimals near 1. */
export function times(x: number | null): string {
  if (x === null) return missing;
  if (x >= 1e5) return x.toExponential(1);
  if (x >= 100) return x.toFixed(0);
  if (x >= 10) return x.toFixed(1);
  return x >= 0.01 || x === 0 ? x.toFixed(2) : x.toExponential(0);
}

/** One row for each measure that is known: measured, expected, ratio, and the null model. */
export function measureRows({ measures }: MeanMeasures): (readonly [MeasureName, MeanMeasure])[] {
  return measureNames
    .filter((name) => measures[name].measured !== null)
    .map((name) => [name, measures[name]]);
}

/** The measures with a column in tables by kind or layer. */
export const columnMeasures: readonly MeasureName[] = [
  "principalOverlap",
  "lowOverlap",
  "rowSpread",
  "columnSpread",
  "stableRank",
  "drift",
  "angleLeftMedian",
  "energy16",
  "energy64",
];

/** The models of a result with their names, including the first. */
export function modelsOf(
  geometry: Geometry,
  first: string,
): (readonly [path: string, model: ModelGeometry])[] {
  return [[first, geometry], ...(geometry.others ?? []).map((other) => [other.path, other] as const)];
}

/** Whether it is the geometry of a recorded run; only these have a KL divergence. */
export function isRecorded({ divergence }: Geometry): boolean {
  return divergence !== undefined;
}

/** The ratio to the expected value, or its inverse, from which the text mentions a measure. */
const factor = 1.5;

/** If only magnitudes matter, the masks of two models with the same changed share differ by 0.01 or 0.02. */
const masksAlike = 0.05;

/**
 * The answer in one sentence.
 *
 * @param recorded whether it stands next to the cases of a recorded run. It measures none of them, but the sum of the
 *   updates in fp32.
 */
export function geometrySentence({ measures }: MeanMeasures, recorded = false): string {
  const { size, changed, stableRank, energy16 } = measures;
  if (size.measured === null) return `There is no geometry: ${printable(size.reason ?? "", 200)}.`;
  if (changed.measured === 0) return "There is no geometry: nothing changed.";
  // A mean over matrices, which is not the share of the norm of all weights.
  const moved = recorded
    ? `Its updates, added in fp32 and not as a case stores them, moved its matrices by a mean ${percent(size.measured)} of their norms`
    : `Its matrices moved by a mean ${percent(size.measured)} of their norms`;
  const mask = maskClause(measures);
  if (stableRank.ratio === null) return `${moved}; ${mask}.`;
  const few = stableRank.ratio < 1 / factor;
  const rank = `(stable rank ${digits(stableRank.measured!)}, where random signs give ${digits(stableRank.expected!)})`;
  const along = few ? `along few directions ${rank}` : `along as many directions as noise ${rank}`;
  return `${moved}, ${along}${leanClause(energy16)}; ${mask}.`;
}

function leanClause({ ratio }: Measure): string {
  if (ratio === null) return "";
  if (ratio > factor)
    return `, which lean towards the leading ones (${times(ratio)} times the energy in the top 16)`;
  if (ratio < 1 / factor)
    return `, which lean away from the leading ones (${times(ratio)} of the energy in the top 16)`;
  return ", which lean neither towards nor away from the leading ones";
}

/** Size explains where changes are only if it explains rows and columns too. */
function maskClause({ principalOverlap, rowSpread, columnSpread }: MeanMeasures["measures"]): string {
  const { ratio, measured, expected } = principalOverlap;
  if (ratio === null) return "no spectrum tells which weights are principal ones";
  const both = `(${figure("principalOverlap", measured)} in the principal mask, ${figure("principalOverlap", expected)} by size alone)`;
  const gathered = [
    ["rows", rowSpread.ratio],
    ["columns", columnSpread.ratio],
  ].flatMap(([where, spread]) =>
    typeof spread === "number" && spread > factor
      ? [`${where} (${times(spread)} times the spread by size)`]
      : [],
  );
  if (Math.abs(ratio - 1) <= masksAlike)
    return gathered.length === 0
      ? `which weights show a change is explained by their size ${both}`
      : `how many changes show in the principal mask is explained by size ${both}, but they gather in some ${gathered.join(" and ")}`;
  return `which weights show a change is not explained by their size alone ${both}`;
}

/** The course of a recorded run: from when on the change is low-rank, its coherence, and the KL stated by the run. */
export function courseSentences({ curve = [], divergence }: Geometry): string[] {
  const told = divergence === undefined ? [] : [divergenceSentence(divergence)];
  const known = curve.filter(({ totals }) => totals.measures.stableRank.ratio !== null);
  if (known.length < 2) return told;
  const isLow = ({ totals }: (typeof known)[number]) => totals.measures.stableRank.ratio! < 1 / factor;
  const from = known.findLastIndex((point) => !isLow(point)) + 1;
  const [first, last] = [known[0], known[known.length - 1]];
  const rank = ({ totals: { measures } }: (typeof known)[number]) =>
    `stable rank ${digits(measures.stableRank.measured!)}, where random signs give ${digits(measures.stableRank.expected!)}`;
  const rankSentence =
    from === known.length
      ? `After ${last.updates} updates the change is not low-rank (${rank(last)}).`
      : `The change is low-rank from update ${known[from].updates} on (${rank(known[from])} there)` +
        (from === known.length - 1 ? "." : `; at the end: ${rank(last)}.`);
  const [early, late] = [first, last].map(({ totals }) => totals.measures.size.ratio);
  const coherence =
    early === null || late === null
      ? "The recording does not state its learning rates, so its coherence is unknown."
      : `Coherence, its size over that of a noise walk of the same rates and steps: ${times(early)} after update ${first.updates}, ${times(late)} after ${last.updates}.`;
  return [rankSentence, coherence, ...told];
}

function divergenceSentence(divergence: Geometry["divergence"]): string {
  const { forward = null, reverse = null } = divergence ?? {};
  if (forward === null && reverse === null) return "The run has no KL in an outcome.json.";
  const said = (x: number | null) => (x === null ? "not stated" : x.toPrecision(3));
  return `KL of outcome.json, in nats: of the base to the run ${said(forward)}, of the run to the base ${said(reverse)}.`;
}

/** What was sampled and excluded, and what the numbers do not show. */
export function geometryNotes({ sampled, totals, rank, leftOut, tensors, curve = [] }: Geometry): string[] {
  const { layers, of: total } = sampled;
  const spectra = tensors.flatMap(({ spectrum }) => spectrum ?? []);
  const fewer = spectra.filter(({ k }) => k < rank);
  const leading = tensors.filter(({ spectrum }) => spectrum?.values === "leading");
  const unknown = tensors.filter(
    ({ spectrum, measures }) => spectrum !== null && reasonOf(measures) !== null,
  );
  return [
    ...(layers < total
      ? [
          `Spectra of ${layers} of ${counted(total, "layer")} (--layers all takes all); 95% intervals of what needs them are in the JSON.`,
        ]
      : []),
    ...(fewer.length > 0
      ? [
          `${fewer.length === 1 ? "1 matrix is" : `${fewer.length} matrices are`} under ${8 * rank} on the short side: an eighth of ` +
            `the directions, ${directions(fewer)} and not ${rank}, were taken as the leading ones.`,
        ]
      : []),
    ...(leading.length > 0
      ? [
          `${leading.length === 1 ? "1 matrix is" : `${leading.length} matrices are`} over 1024 on the short side: the leading ${directions(leading.map(({ spectrum }) => spectrum!))} singular ` +
            "values and directions of each were taken by block Lanczos, and drift is over those alone.",
        ]
      : []),
    ...(unknown.length > 0 ? [unknownNote(unknown)] : []),
    ...(leftOut.length > 0
      ? [
          `${counted(leftOut.length, "tensor")} left out; the first, ${printable(leftOut[0].name, 60)}: ${printable(leftOut[0].reason, 120)}.`,
        ]
      : []),
    ...unmeasuredNotes(tensors),
    ...curveNotes(curve),
    `Means over ${matricesIn(totals.measures.size.tensors)}, each counting as one; the JSON has them by weight too. ` +
      "No number of weight space tells what a model has forgotten (docs/gates.md).",
  ];
}

function matricesIn(n: number): string {
  return n === 1 ? "1 matrix" : `${count(n)} matrices`;
}

/** Matrices that are in no mean, and those that are in two alone. */
function unmeasuredNotes(tensors: Geometry["tensors"]): string[] {
  const excluded = tensors.filter(({ measures }) => measures.size.measured === null);
  const unchanged = tensors.filter(({ measures }) => measures.changed.measured === 0);
  const are = ({ length }: Geometry["tensors"]) =>
    `${length} of the ${matricesIn(tensors.length)} ${length === 1 ? "is" : "are"}`;
  return [
    ...(excluded.length > 0
      ? [
          `${are(excluded)} in no mean; the first, ${printable(excluded[0].name, 60)}: ${excluded[0].measures.size.reason}.`,
        ]
      : []),
    ...(unchanged.length > 0 && unchanged.length < tensors.length
      ? [`${are(unchanged)} unchanged: 0 in the means of size and weights changed, and in no other.`]
      : []),
  ];
}

/** Where the means after so many updates are not all over the same matrices. */
function curveNotes(curve: NonNullable<Geometry["curve"]>): string[] {
  const torn = curve.find(({ totals }) => totals.measures.size.tensors < totals.tensors);
  const withRank = curve.map(({ totals }) => totals.measures.stableRank.tensors);
  const [least, most] = [Math.min(...withRank), Math.max(...withRank)];
  return [
    ...(torn
      ? [
          `After ${counted(torn.updates, "update")}, means are over ${torn.totals.measures.size.tensors} of ${matricesIn(torn.totals.tensors)}: ` +
            "the rest have numbers that are NaN or Inf, or a base of zeros.",
        ]
      : []),
    ...(least < most
      ? [
          `Of directions, means are over the matrices that changed by then and have a spectrum: ${least} to ${most}.`,
        ]
      : []),
  ];
}

/** How many leading directions were taken: "64", or "4 to 16". */
function directions(spectra: readonly { readonly k: number }[]): string {
  const ks = spectra.map(({ k }) => k);
  return [...new Set([Math.min(...ks), Math.max(...ks)])].join(" to ");
}

/** Why angles or drift are unknown; null if they are known. */
function reasonOf({ angleLeft90, drift }: Measures): string | null {
  return [angleLeft90, drift].find(({ measured }) => measured === null)?.reason ?? null;
}

/** Matrices with a spectrum whose angles or drift are unknown. */
function unknownNote(tensors: readonly TensorGeometry[]): string {
  const [{ name, measures }] = tensors;
  const whose =
    tensors.length === 1
      ? printable(name, 60)
      : `${matricesIn(tensors.length)}, the first ${printable(name, 60)}`;
  return `Angles or drift are unknown, and in no mean, of ${whose}: ${printable(reasonOf(measures)!, 200)}.`;
}
