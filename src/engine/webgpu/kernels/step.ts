import type { UpdateSettings } from "../../../update/settings.js";
import { storageArithmetic } from "../../lane/arithmetic.js";
import { foundNonfinite } from "../../lane/classes.js";
import { displacement, exponentShift, ulpBinade } from "../../lane/numbers.js";
import { type LaneState, schemeSteps } from "../../lane/scheme.js";
import type { WebGpuSettings } from "../admission.js";
import {
  binClasses,
  binsOf,
  flagPlanes,
  fp32Planes,
  statePlanes,
  stepCountsOf,
  stepRowWords,
  stepSums,
  threads,
} from "../layout.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import { recipeBody, type StepRecipe } from "./recipe.js";
import { sharedBody } from "./shared.js";
import type { StepBody, StepElement } from "./step-body.js";
import {
  changed,
  countText,
  drawText,
  flagsOf,
  kernelText,
  loadPair,
  ReadAhead,
  storePair,
  sumText,
  talliesText,
} from "./text.js";
import { beforeUpdates, keyText, type UpdateSource, updateText } from "./updates.js";

export interface StepOptions {
  readonly updates: UpdateSource;
  /** Whether the kernel also advances the fp32 run: that of the last case does. */
  readonly advances: boolean;
  /** Null for schemes. */
  readonly recipe: StepRecipe | null;
}

/** The ulp rule of lens/probes.ts, |u| < |w| / 256, on magnitudes of finite numbers. */
const ruleText = `
fn ulpRule(mw: u32, mu: u32) -> bool {
  let small = (mu < 0x00800000u) & ((mu << 8u) < (significand32(mw) << min(exponent32(mw) - 1u, 8u)));
  return select(mu < mw - 0x04000000u, small, mw < 0x04800000u);
}
fn exponentField(m: u32) -> u32 {
  return select(m >> 23u, firstLeadingBit(m) - 22u, m < 0x00800000u);
}
`;

/**
 * Applies one step to the weights of a case and counts every update, as in CaseLens of the reference engine.
 * Padding has weights and updates of zero; the host subtracts it from the counts.
 */
export function stepKernel(settings: WebGpuSettings, { updates, advances, recipe }: StepOptions): string {
  const { rounding } = settings;
  const planes = statePlanes(settings);
  const bins = binsOf(settings);
  const ahead = new ReadAhead();
  const body = settings.blocks
    ? sharedBody(settings, advances, ahead)
    : settings.recipe
      ? recipeBody(settings, recipe!, ahead)
      : schemeBody(settings, advances, ahead);
  const classes = body.hasCarrier ? binClasses.length : 2;
  const elements = [0, 1].map((half) => elementText(settings, half, body, advances));
  const sumNames = stepSums.map((_, sum) => [0, 1].map((lane) => `sum${sum}${lane}`));
  const counts = stepCountsOf(settings).length;
  const bits = Array.from(
    { length: rounding === "stochastic" ? body.draws : 0 },
    (_, draw) => `let draw${draw} = ${drawText("bitsLow", "bitsHigh", draw)};`,
  );

  return kernelText({
    module: `${ruleText}${body.module ?? ""}
${talliesText(counts, stepSums.length)}
var<workgroup> bins: array<atomic<u32>, ${classes * bins.count}>;`,
    before: `
${ahead.before}
${body.before}
${rounding === "stochastic" ? keyText("bits") : ""}
${beforeUpdates(updates)}
${sumNames
  .flat()
  .map((name) => `var ${name} = zeroSum();`)
  .join("\n")}
var movedAndZero = 0u; var nonfiniteAndKept = 0u; var ruleAndMoved = 0u;`,
    beforeChunk: `var flagsMoved = 0u; var flagsNonfinite = 0u; var flagsUpdated = 0u;
${body.beforeChunk ?? ""}`,
    pair: `
${updateText(updates)}
${ahead.pair}
${body.loads.join("\n")}
${bits.join("\n")}
var slow = 0u;
${[0, 1].map((half) => `var s${half} = 0u; var x${half} = 0u; var es${half} = 0u; var ex${half} = 0u; var against${half} = false;`).join("\n")}
${body.pair}
${elements.join("\n")}
${slowText(sumNames)}
${body.stores.join("\n")}`,
    afterChunk: `
${body.afterChunk ?? ""}
if (flagsMoved != 0u) { ${flagsOf("state", planes.count, flagPlanes.moved)} |= flagsMoved; }
if (flagsNonfinite != 0u) { ${flagsOf("state", planes.count, flagPlanes.nonfinite)} |= flagsNonfinite; }
${advances ? `if (flagsUpdated != 0u) { ${flagsOf("fp32", fp32Planes.count, 0)} |= flagsUpdated; }` : ""}`,
    after: `
${countText(
  [
    ...["movedAndZero", "nonfiniteAndKept", "ruleAndMoved"].flatMap((both) => [
      `${both} & 0xffffu`,
      `${both} >> 16u`,
    ]),
    ...body.counts,
  ],
  stepRowWords(settings),
)}
var lanes = array<Sum, ${2 * stepSums.length}>(${sumNames.flat().join(", ")});
${sumText(stepSums.length, counts, "lanes")}
let histogram = params.histogram + piece * ${2 * binClasses.length * bins.count}u;
for (var i = local; i < ${classes * bins.count}u; i += ${threads}u) {
  let count = atomicLoad(&bins[i]);
  if (count != 0u) {
    let before = atomicAdd(&counts[histogram + 2u * i], count);
    if (before + count < before) { atomicAdd(&counts[histogram + 2u * i + 1u], 1u); }
  }
}`,
  });
}

/** The numbers of the fp32 run, which are also those of a scheme's master. */
const fp32Names = ["c0", "c1"] as const;

/** The additions to sums that addQuickly64 declined; one copy of their text for all sums. */
function slowText(sums: readonly (readonly string[])[]): string {
  const factors = (sum: number, half: number) =>
    [
      { a: `s${half}`, b: `s${half}`, k: `2u * x${half}`, negative: "false" },
      { a: `es${half}`, b: `es${half}`, k: `2u * ex${half}`, negative: "false" },
      { a: `es${half}`, b: `s${half}`, k: `ex${half} + x${half}`, negative: `against${half}` },
    ][sum];
  const entries = sums.flatMap((lanes, sum) => lanes.map((name, half) => ({ name, ...factors(sum, half) })));
  const choose = (body: (entry: (typeof entries)[number]) => string) =>
    entries
      .map((entry, i) => `${i === entries.length - 1 ? "default" : `case ${i}u`}: { ${body(entry)} }`)
      .join("\n");
  return `while (slow != 0u) {
let bit = firstTrailingBit(slow);
slow &= slow - 1u;
var sum = zeroSum(); var a = 0u; var b = 0u; var k = 0u; var negative = false;
switch bit {
${choose((entry) => `sum = ${entry.name}; a = ${entry.a}; b = ${entry.b}; k = ${entry.k}; negative = ${entry.negative};`)}
}
let term = product32(a, b);
sum = add64(sum, negative, term.hi, term.lo, bitcast<i32>(k));
switch bit {
${choose(({ name }) => `${name} = sum;`)}
}
}`;
}

/**
 * Whether the effective update may have the opposite sign of u. It may not in-place, where w is a number of the
 * format, nor for a master rounded to nearest-even, as at the start: rounding is monotone.
 */
function mayOppose({ scheme, rounding }: UpdateSettings): boolean {
  return scheme !== "in-place" && (scheme !== "master" || rounding !== "nearest-even");
}

/** The parts of a step kernel for a scheme. */
function schemeBody(settings: UpdateSettings, advances: boolean, ahead: ReadAhead): StepBody {
  const { scheme } = settings;
  const planes = statePlanes(settings);
  const { packed, carriers } = planes;
  const elements = [0, 1].map((half) => schemeElement(settings, half, advances));
  return {
    before: "",
    loads: [
      loadPair(["w0", "w1"], "state", planes.weights, packed, ahead.word),
      carriers === null ? "" : loadPair(["k0", "k1"], "state", carriers.plane, packed, ahead.word),
      advances || scheme === "master" ? loadPair(fp32Names, "fp32", fp32Planes.now, false, ahead.word) : "",
    ],
    stores: [
      storePair(["w0", "w1"], "state", planes.weights, packed),
      carriers === null ? "" : storePair(["k0", "k1"], "state", carriers.plane, packed),
      advances ? storePair(fp32Names, "fp32", fp32Planes.now, false) : "",
    ],
    hasCarrier: scheme !== "in-place",
    opposes: mayOppose(settings),
    draws: Math.max(...elements.map(({ draws }) => draws)),
    pair: "",
    counts: [],
    element: (half) => elements[half],
  };
}

function schemeElement(settings: UpdateSettings, half: number, advances: boolean) {
  const { scheme } = settings;
  const isMaster = scheme === "master";
  const k = new WgslWriter();
  let draws = 0;
  const random = () => u32(`draw${draws++}.${"xy"[half]}`);
  const carrier = scheme === "in-place" ? null : u32(isMaster ? "c" : "k");
  const before: LaneState<Wgsl> = { weight: u32("w"), carrier };
  const after = schemeSteps[scheme](before, u32("u"), storageArithmetic(k, settings, random));
  const nonfinite = foundNonfinite(k, settings, before, u32("u"), after);
  // A master equals the weight of the fp32 run.
  const next = isMaster ? after.carrier : advances ? k.f32x4.add(u32("c"), u32("u")) : null;
  const hasOwn = carrier !== null && !isMaster;
  const element: StepElement = {
    text: `let u = u${half}; let w = w${half};
${advances || isMaster ? `let c = c${half};` : ""}
${hasOwn ? `let k = k${half};` : ""}
${k.text}`,
    weight: after.weight,
    nonfinite: nonfinite.text,
    carried: carrier === null ? "false" : changed(carrier.text, after.carrier!.text),
    stores: `w${half} = ${after.weight.text};
${hasOwn ? `k${half} = ${after.carrier!.text};` : ""}
${advances ? `c${half} = ${next!.text};` : ""}`,
  };
  return { ...element, draws };
}

/** Text that classifies and counts one element of a pair. */
function elementText(
  settings: WebGpuSettings,
  half: number,
  { hasCarrier, opposes, element }: StepBody,
  advances: boolean,
): string {
  const { format } = settings;
  const step = element(half);
  const { shared } = step;
  const bins = binsOf(settings);
  const inBin = new WgslWriter();
  // A bin is the difference of the exponents of |u| and the ulp, which is precision - 1 below the weight's binade.
  const offset = format.precision - 1 - bins.first;
  const binade = () => inBin.i32x4.shr_u(ulpBinade(inBin, u32("w"), format), exponentShift).text;
  const place = shared?.place ?? `exponentField(mu) + ${offset}u - ${binade()}`;
  const ofClass = hasCarrier ? "select(select(0u, 2u, kept), 1u, moved)" : "select(0u, 1u, moved)";

  const inMoved = new WgslWriter();
  const effective = displacement(inMoved, step.weight, u32("w")).text;
  const product = `product32(es${half}, su)`;
  const flag = (name: string, condition: string) =>
    `${name} |= select(0u, ${1 << half}u, ${condition}) << (2u * i);`;

  return `{
${step.text}
${step.stores}
let mu = u & 0x7fffffffu; let mw = w & 0x7fffffffu;
let zero = mu == 0u;
let gone = ${step.nonfinite};
let moved = !gone & ${changed("w", step.weight.text)};
let live = !(gone | zero);
let kept = live & !moved & ${step.carried};
${shared ? `let collateral = moved & (${shared.collateral});\n${shared.counts}` : ""}
${flag("flagsMoved", "moved")}
${flag("flagsNonfinite", "gone")}
${advances ? flag("flagsUpdated", "!zero") : ""}
movedAndZero += select(0u, 1u, moved & !zero) + select(0u, 0x10000u, zero & !gone);
nonfiniteAndKept += select(0u, 1u, gone) + select(0u, 0x10000u, kept);
let eu = exponent32(mu); let su = significand32(mu);
s${half} = su; x${half} = eu;
if (live) {
let rule = ulpRule(mw, mu);
ruleAndMoved += select(0u, 1u, rule) + select(0u, 0x10000u, rule & moved);
${shared ? "if (!collateral) {" : ""}
${inBin.text}
atomicAdd(&bins[${ofClass} * ${bins.count}u + ${place}], 1u);
${shared ? "}" : ""}
let sum = addQuickly64(sum0${half}, product32(su, su), bitcast<i32>(2u * eu));
if (sum.hi == 0u) { slow |= ${1 << half}u; } else { sum0${half} = sum; }
}
if (moved) {
${inMoved.text}
let me = ${effective} & 0x7fffffffu;
es${half} = significand32(me); ex${half} = exponent32(me);
against${half} = ${opposes ? `(${effective} ^ u) >= 0x80000000u` : "false"};
let squares = addQuickly64(sum1${half}, product32(es${half}, es${half}), bitcast<i32>(2u * ex${half}));
if (squares.hi == 0u) { slow |= ${4 << half}u; } else { sum1${half} = squares; }
let products = ${
    opposes
      ? `addSignedQuickly64(sum2${half}, ${product}, bitcast<i32>(ex${half} + eu), against${half})`
      : `addQuickly64(sum2${half}, ${product}, bitcast<i32>(ex${half} + eu))`
  };
if (products.hi == 0u) { slow |= ${16 << half}u; } else { sum2${half} = products; }
}
}`;
}
