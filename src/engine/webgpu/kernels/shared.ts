import { foundNonfinite } from "../../lane/classes.js";
import { exponentBias, exponentShift, magnitude, ulpBinade } from "../../lane/numbers.js";
import { round } from "../../lane/round.js";
import { elements, type ScaleLanes, scaleCode, scaled, scaleLanes } from "../../lane/shared-scale.js";
import type { SharedMaster } from "../admission.js";
import {
  endCounts,
  endRowWords,
  flagPlanes,
  fp32Planes,
  type SharedCount,
  sharedCounts,
  statePlanes,
} from "../layout.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import type { StepBody, StepElement } from "./step-body.js";
import {
  changed,
  flagsOf,
  type KernelParts,
  kernelText,
  loadPair,
  type ReadAhead,
  storePair,
} from "./text.js";
import { beforeUpdates, type UpdateSource, updateText } from "./updates.js";

/**
 * What weights that share scales do: update/block-step.ts and lens/shared-tally.ts. A block are four pairs of each of
 * four threads, one after the other, and four blocks share a word of codes of scales.
 */

/** Functions for codes of scales and what is stored under them. */
export const sharedText = `
fn scaleOf(codes: u32, i: u32) -> u32 { return (codes >> (8u * (i >> 2u))) & 0xffu; }
fn largerOfEach(a: u32, b: u32) -> u32 {
  return max(a & 0xffu, b & 0xffu) | max(a & 0xff00u, b & 0xff00u)
    | max(a & 0xff0000u, b & 0xff0000u) | max(a & 0xff000000u, b & 0xff000000u);
}
fn othersOf(codes: u32) -> u32 {
  return select(0u, 1u, (codes & 0xffu) != 0u) + select(0u, 1u, (codes & 0xff00u) != 0u)
    + select(0u, 1u, (codes & 0xff0000u) != 0u) + select(0u, 1u, codes >= 0x1000000u);
}
// An element times its scale. It is zero or a normal number of fp32, and no product has a digit below 2^-149.
fn decoded(element: u32, code: u32) -> u32 {
  let m = element & 0x7fffffffu;
  let field = bitcast<i32>((m >> 23u) + code) - 127;
  let below = ((m & 0x7fffffu) | 0x800000u) >> min(bitcast<u32>(1 - field), 31u);
  let number = select(min(m + ((code - 127u) << 23u), 0x7f800000u), below, field < 1);
  return select(select(number, 0u, m == 0u) | (element & 0x80000000u), 0x7fc00000u, code == 255u);
}
`;

/** The number of an element under the scale of a code. */
function decoded(k: WgslWriter, element: Wgsl, code: string): Wgsl {
  return k.let(u32(`decoded(${element.text}, ${code})`));
}

/** What {@link scaled} multiplies by is a power of two, except where the scale is NaN. */
function scaleOf(k: WgslWriter, code: string): ScaleLanes<Wgsl> {
  const scale = scaleLanes(k, u32(code));
  return { ...scale, reciprocal: { ...scale.reciprocal, isPower: true } };
}

type ScalePlane = "startScales" | "scales" | "parts";

/** A word of four codes of scales: of the thread's chunk, or what another thread of its block has there. */
function scalesOf(settings: SharedMaster, plane: ScalePlane, at?: string): string {
  return flagsOf("state", statePlanes(settings).count, flagPlanes[plane], at);
}

/** Scales of the blocks of a chunk, from what their four threads found: no larger number has a smaller code. */
function scalesOfParts(settings: SharedMaster): string {
  const [a, b, c, d] = [0, 1, 2, 3].map((thread) =>
    scalesOf(settings, "parts", `(flags & 0xfffffffcu) + ${thread}u`),
  );
  return `largerOfEach(largerOfEach(${a}, ${b}), largerOfEach(${c}, ${d}))`;
}

/** Declares numbers of a pair as they are stored, and their elements, from a plane of these and a word of scales. */
function loadShared(
  names: readonly [string, string],
  elementNames: readonly [string, string],
  { plane, packed, scales }: { readonly plane: number; readonly packed: boolean; readonly scales: string },
): string {
  const numbers = names.map(
    (name, half) => `let ${name} = decoded(${elementNames[half]}, scaleOf(${scales}, i));`,
  );
  return [loadPair(elementNames, "state", plane, packed), ...numbers].join("\n");
}

/** What is quantized of a master. */
function sent(k: WgslWriter, master: Wgsl, { through }: SharedMaster): Wgsl {
  if (through === null) return master;
  const to = { format: through, rounding: "nearest-even", overflow: "ieee" } as const;
  return round(k, master, to, () => k.i32x4.constant(0));
}

/**
 * Finds `parts` of the numbers that a step, or without updates the start, will quantize. A kernel of its own: within a
 * step the threads of a block would have to wait for each other in every chunk.
 */
export function partsKernel(settings: SharedMaster, updates: UpdateSource | null): string {
  const largest = [0, 1].map((half) => {
    const k = new WgslWriter(`n${half}_`);
    const before = u32(`c${half}`);
    const master = updates === null ? before : k.f32x4.add(before, u32(`u${half}`));
    const size = magnitude(k, sent(k, master, settings));
    return `${k.text}\nlargest = max(largest, ${size.text});`;
  });
  const k = new WgslWriter("s");
  const code = scaleCode(k, u32("largest"), settings.blocks);
  return kernelText({
    before: updates === null ? "" : beforeUpdates(updates),
    beforeChunk: "var parts = 0u; var largest = 0u;",
    pair: `
${updates === null ? "" : updateText(updates)}
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${largest.join("\n")}
if ((i & 3u) == 3u) {
${k.text}
parts |= ${code.text} << (8u * (i >> 2u));
largest = 0u;
}`,
    afterChunk: `${scalesOf(settings, "parts")} = parts;`,
  });
}

/**
 * Quantizes the weights as given by nearest-even, as startBlock of update/block-step.ts does, after {@link partsKernel}.
 *
 * @param counts whether it counts those that this changed: not where the host has counted them.
 */
export function beginSharedKernel(settings: SharedMaster, counts: boolean): string {
  const planes = statePlanes(settings);
  const p = new WgslWriter("p");
  const scale = scaleOf(p, "code");
  const stored = [0, 1].map((half) => {
    const k = new WgslWriter(`s${half}_`);
    const given = u32(`g${half}`);
    const quotients = scaled(k, sent(k, given, settings), scale);
    const element = elements(k, quotients, scale, settings.blocks, "nearest-even", () => given);
    const number = decoded(k, element, "code");
    const isChanged = k.v128.and(k.f32x4.ne(number, given), k.f32x4.eq(given, given));
    return `${k.text}\nlet e${half} = ${element.text};\naltered += select(0u, 1u, ${isChanged.text});`;
  });
  return kernelText({
    module: sharedText,
    before: "var altered = 0u;",
    beforeChunk: `let codes = ${scalesOfParts(settings)};
${scalesOf(settings, "startScales")} = codes; ${scalesOf(settings, "scales")} = codes;`,
    pair: `let code = scaleOf(codes, i);
${p.text}
${loadPair(["g0", "g1"], "fp32", fp32Planes.given, false)}
${stored.join("\n")}
${storePair(["e0", "e1"], "state", planes.start, planes.packed)}
${storePair(["e0", "e1"], "state", planes.weights, planes.packed)}`,
    after: counts
      ? `if (altered != 0u) {
atomicAdd(&counts[params.row + piece * ${endRowWords}u + ${endCounts.indexOf("castChanged")}u], altered);
}`
      : "",
  });
}

/** Puts the stored weights of a case into `updates`, in the order of the batch. */
export function collectSharedKernel(settings: SharedMaster): string {
  const planes = statePlanes(settings);
  const from = { plane: planes.weights, packed: planes.packed, scales: "codes" };
  return kernelText({
    module: sharedText,
    beforeChunk: `let codes = ${scalesOf(settings, "scales")};`,
    pair: `${loadShared(["w0", "w1"], ["e0", "e1"], from)}
updates[2u * pair] = w0; updates[2u * pair + 1u] = w1;`,
  });
}

/** What the kernel of the end has other than where weights are stored themselves; `n` are its counts. */
export function sharedEnd(
  settings: SharedMaster,
): Required<Pick<KernelParts, "module" | "beforeChunk" | "pair">> {
  const { start, weights, packed } = statePlanes(settings);
  const count = (name: "codes" | "blockScales") => `n[${endCounts.indexOf(name)}]`;
  return {
    module: sharedText,
    beforeChunk: `
let startScales = ${scalesOf(settings, "startScales")};
let endScales = ${scalesOf(settings, "scales")};
if ((thread & 3u) == 0u) { ${count("blockScales")} += othersOf(startScales ^ endScales); }`,
    pair: `
${loadShared(["b0", "b1"], ["d0", "d1"], { plane: start, packed, scales: "startScales" })}
${loadShared(["a0", "a1"], ["e0", "e1"], { plane: weights, packed, scales: "endScales" })}
${count("codes")} += select(0u, 1u, d0 != e0) + select(0u, 1u, d1 != e1);`,
  };
}

const counted = (name: SharedCount) => `counted${sharedCounts.indexOf(name)}`;

/** Adds to a count where a condition holds. */
function countText(name: SharedCount, condition: string): string {
  return `${counted(name)} += select(0u, 1u, ${condition});`;
}

/** A step of weights that share scales, after {@link partsKernel}. */
export function sharedBody(settings: SharedMaster, advances: boolean, ahead: ReadAhead): StepBody {
  const { weights, packed } = statePlanes(settings);
  const p = new WgslWriter("p");
  const scales = { before: scaleOf(p, "codeBefore"), after: scaleOf(p, "codeAfter") };
  return {
    module: sharedText,
    before: sharedCounts.map((name) => `var ${counted(name)} = 0u;`).join("\n"),
    beforeChunk: `let scalesBefore = ${scalesOf(settings, "scales")};
let scalesAfter = ${scalesOfParts(settings)};
if ((thread & 3u) == 0u) { ${counted("blockScales")} += othersOf(scalesBefore ^ scalesAfter); }`,
    afterChunk: `${scalesOf(settings, "scales")} = scalesAfter;`,
    loads: [
      loadPair(["e0", "e1"], "state", weights, packed, ahead.word),
      loadPair(["c0", "c1"], "fp32", fp32Planes.now, false, ahead.word),
    ],
    stores: [
      storePair(["e0", "e1"], "state", weights, packed),
      advances ? storePair(["c0", "c1"], "fp32", fp32Planes.now, false) : "",
    ],
    hasCarrier: true,
    opposes: true,
    draws: 1,
    pair: `let codeBefore = scaleOf(scalesBefore, i); let codeAfter = scaleOf(scalesAfter, i);
${p.text}`,
    counts: sharedCounts.map(counted),
    element: (half) => sharedElement(settings, half, scales, advances),
  };
}

function sharedElement(
  settings: SharedMaster,
  half: number,
  scales: Readonly<Record<"before" | "after", ScaleLanes<Wgsl>>>,
  advances: boolean,
): StepElement {
  const { blocks, rounding } = settings;
  const k = new WgslWriter();
  const { f32x4, i32x4, v128 } = k;
  const [update, code, carrier] = ["u", "e", "c"].map(u32);
  const weight = decoded(k, code, "codeBefore");
  const master = f32x4.add(carrier, update);
  const number = sent(k, master, settings);
  // The same bits under both scales.
  const random = () => u32(`draw0.${"xy"[half]}`);
  const under = (scale: ScaleLanes<Wgsl>, quotients: Wgsl) =>
    elements(k, quotients, scale, blocks, rounding, random);
  const quotients = scaled(k, number, scales.after);
  const element = under(scales.after, quotients);
  const after = decoded(k, element, "codeAfter");
  const [codeMoves] = k.branch(
    "codeBefore != codeAfter",
    () => [f32x4.ne(under(scales.before, scaled(k, number, scales.before)), code)],
    () => [f32x4.ne(element, code)],
  );
  const beyond = f32x4.gt(magnitude(k, quotients), f32x4.constant(blocks.element.maxFinite));
  const zero = f32x4.constant(0);
  const flushed = v128.and(f32x4.ne(number, zero), f32x4.eq(element, zero));
  const own: readonly (readonly [SharedCount, Wgsl])[] = [
    ["codes", v128.not(i32x4.eq(element, code))],
    ["clipped", v128.andnot(beyond, scales.after.isNaN)],
    ["flushed", v128.andnot(flushed, scales.after.isNaN)],
  ];
  const state = { weight, carrier };
  const nonfinite = foundNonfinite(k, settings, state, update, { weight: after, carrier: master });
  // The gap of the code, times the scale before the step.
  const ofCode = i32x4.shr_u(ulpBinade(k, code, blocks.element), exponentShift);
  const binade = i32x4.sub(i32x4.add(ofCode, scales.before.code), i32x4.constant(exponentBias));
  return {
    text: `let u = u${half}; let c = c${half}; let e = e${half};
${k.text}
let w = ${weight.text};
${own.map(([name, mask]) => countText(name, mask.text)).join("\n")}`,
    weight: after,
    nonfinite: nonfinite.text,
    carried: changed("c", master.text),
    stores: `e${half} = ${element.text};
${advances ? `c${half} = ${master.text};` : ""}`,
    shared: {
      collateral: `${codeMoves.text} == 0u`,
      counts: `${countText("collateral", "collateral")}
${countText("collateralZeros", "collateral & zero")}`,
      binade: binade.text,
    },
  };
}
