import { foundNonfinite } from "../../lane/classes.js";
import { exponentBias, exponentShift, isNonfinite, magnitude, ulpBinade } from "../../lane/numbers.js";
import { elementsOf, laneRule } from "../../lane/scale-rules.js";
import type { SharedMaster } from "../admission.js";
import {
  binsOf,
  endCounts,
  endRowWords,
  fp32Planes,
  isPacked,
  type SharedCount,
  sharedCounts,
  statePlanes,
} from "../layout.js";
import { entryWords } from "../scale-tables.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import { blockWalk, forgetTensor, isFirstOfPiece, sent, tensorWord } from "./scales.js";
import type { StepBody, StepElement } from "./step-body.js";
import { changed, type KernelParts, kernelText, loadPair, type ReadAhead, storePair } from "./text.js";

/**
 * The step of weights that share scales, as in update/block-step.ts and lens/shared-tally.ts; the kernels of scales.ts run before it.
 * The state stores elements; weights are computed from them where needed.
 */

/** Functions that compute stored numbers from scales, and the histogram bin of an update. */
export const sharedText = `
// An element times a power of two. Elements are zero or normal fp32 numbers, and no product has a digit below 2^-149.
fn decoded(element: u32, step: u32) -> u32 {
  let code = (step >> 23u) & 0xffu;
  let m = element & 0x7fffffffu;
  let field = bitcast<i32>((m >> 23u) + code) - 127;
  let below = ((m & 0x7fffffu) | 0x800000u) >> min(bitcast<u32>(1 - field), 31u);
  let number = select(min(m + ((code - 127u) << 23u), 0x7f800000u), below, field < 1);
  return select(select(number, 0u, m == 0u) | (element & 0x80000000u), 0x7fc00000u, code == 255u);
}
fn fraction32(m: u32) -> u32 {
  return (m << select(0u, 23u - firstLeadingBit(m), m < 0x00800000u)) & 0x7fffffu;
}
`;

/** The names of the three words of a block's scale in a kernel. */
interface Scale {
  readonly scale: Wgsl;
  readonly factor: Wgsl;
  readonly step: Wgsl;
}

function named(time: string, { blocks }: SharedMaster): Scale {
  return {
    scale: u32(`scale${time}`),
    // Where the scale is NaN, the product may be any number.
    factor: { ...u32(`factor${time}`), isPower: laneRule(blocks).powersOfTwo },
    step: u32(`step${time}`),
  };
}

type Table = "startScales" | "scalesBefore" | "scalesAfter";

/** Reads the scales when a pair begins another block; their variables are declared before the loop over pairs. */
function scalesText(
  tables: readonly { readonly table: Table; readonly time: string; readonly words: string }[],
) {
  const names = tables.flatMap(({ time }) => ["scale", "factor", "step"].map((word) => `${word}${time}`));
  const reads = tables.flatMap(({ table, time, words }) =>
    ["scale", "factor", "step"].flatMap((word, i) =>
      words.includes(word) ? `${word}${time} = state[params.${table} + ${entryWords}u * block + ${i}u];` : [],
    ),
  );
  return {
    before: ["var held = 0xffffffffu;", ...names.map((name) => `var ${name} = 0u;`)].join(" "),
    here: `if (block != held) {\nheld = block;\n${reads.join("\n")}\n}`,
  };
}

/** The number that an element stands for. */
function decoded(k: WgslWriter, element: Wgsl, { step }: Scale, { blocks }: SharedMaster): Wgsl {
  if (laneRule(blocks).powersOfTwo) return k.let(u32(`decoded(${element.text}, ${step.text})`));
  return k.f32x4.mul(element, step);
}

/** Declares the numbers of a pair, from their elements. */
function numbersText(
  names: readonly string[],
  elements: readonly string[],
  scale: Scale,
  settings: SharedMaster,
) {
  return names
    .map((name, i) => {
      const k = new WgslWriter(`${name}_`);
      const number = decoded(k, u32(elements[i]), scale, settings);
      return `${k.text}\nlet ${name} = ${number.text};`;
    })
    .join("\n");
}

/** The scaled number before rounding to an element, and the element. */
function quantized(
  k: WgslWriter,
  number: Wgsl,
  { scale, factor }: Scale,
  { blocks, rounding }: Pick<SharedMaster, "blocks" | "rounding">,
  random: () => Wgsl,
) {
  const rule = laneRule(blocks);
  const isNaN32 = k.f32x4.ne(scale, scale);
  const scaled = rule.scaled(k, number, factor);
  const quotients = rule.powersOfTwo ? k.v128.or(scaled, isNaN32) : scaled;
  return { quotients, element: elementsOf(k, quotients, { isNaN: isNaN32 }, blocks, rounding, random) };
}

/** The bits of a NaN that stands for a number that fp32 does not hold: any stored number differs from it. */
export const onlyFloat64Bits = 0x7f80_0001;

/**
 * Quantizes the given weights by nearest-even, as startBlock of update/block-step.ts does.
 *
 * @param from the numbers with which the result is compared to count altered weights: the given ones, or uploaded ones.
 */
export function beginSharedKernel(settings: SharedMaster, from: "given" | "uploaded"): string {
  const planes = statePlanes(settings);
  const walk = blockWalk(settings.blocks);
  const scales = scalesText([{ table: "scalesAfter", time: "After", words: "scale factor step" }]);
  const after = named("After", settings);
  const by = { blocks: settings.blocks, rounding: "nearest-even" } as const;
  const stored = [0, 1].map((half) => {
    const k = new WgslWriter(`s${half}_`);
    const { element } = quantized(k, sent(k, u32(`g${half}`), settings), after, by, () => u32("0u"));
    const number = decoded(k, element, after, settings);
    const was = u32(from === "given" ? `g${half}` : `updates[2u * pair + ${half}u]`);
    const isChanged = k.v128.and(k.f32x4.ne(number, was), k.f32x4.eq(was, was));
    return `${k.text}\nlet e${half} = ${element.text};
altered += select(0u, 1u, ${isChanged.text} | (${was.text} == ${onlyFloat64Bits}u));`;
  });
  return kernelText({
    module: sharedText,
    before: `var altered = 0u;\n${walk.before}\n${scales.before}`,
    pair: `${walk.here}
${scales.here}
${loadPair(["g0", "g1"], "fp32", fp32Planes.given, false)}
${stored.join("\n")}
${storePair(["e0", "e1"], "state", planes.start, planes.packed)}
${storePair(["e0", "e1"], "state", planes.weights, planes.packed)}
${walk.next}`,
    after: `${forgetTensor(settings)}
if (altered != 0u) {
atomicAdd(&counts[params.row + piece * ${endRowWords}u + ${endCounts.indexOf("castChanged")}u], altered);
}`,
  });
}

/** Writes the stored weights of a case to `updates`, in batch order. */
export function collectSharedKernel(settings: SharedMaster): string {
  const planes = statePlanes(settings);
  const walk = blockWalk(settings.blocks);
  const scales = scalesText([{ table: "scalesAfter", time: "After", words: "step" }]);
  return kernelText({
    module: sharedText,
    before: `${walk.before}\n${scales.before}`,
    pair: `${walk.here}
${scales.here}
${loadPair(["e0", "e1"], "state", planes.weights, planes.packed)}
${numbersText(["w0", "w1"], ["e0", "e1"], named("After", settings), settings)}
updates[2u * pair] = w0; updates[2u * pair + 1u] = w1;
${walk.next}`,
  });
}

/** The parts of the end kernel that are specific to shared scales; `n` are its counts. */
export function sharedEnd(settings: SharedMaster): Required<Pick<KernelParts, "module" | "before" | "pair">> {
  const { start, weights, packed } = statePlanes(settings);
  const walk = blockWalk(settings.blocks);
  const scales = scalesText([
    { table: "startScales", time: "Start", words: "scale step" },
    { table: "scalesAfter", time: "After", words: "scale step" },
  ]);
  const count = (name: "codes" | "blockScales" | "tensorScales", condition: string) =>
    `n[${endCounts.indexOf(name)}] += select(0u, 1u, ${condition});`;
  return {
    module: sharedText,
    before: `${walk.before}
${scales.before}
if ${isFirstOfPiece} { ${count("tensorScales", `${tensorWord("startScales")} != ${tensorWord("scalesAfter")}`)} }`,
    pair: `
${walk.here}
${scales.here}
${count("blockScales", "isFirst & (scaleStart != scaleAfter)")}
${loadPair(["d0", "d1"], "state", start, packed)}
${loadPair(["e0", "e1"], "state", weights, packed)}
${numbersText(["b0", "b1"], ["d0", "d1"], named("Start", settings), settings)}
${numbersText(["a0", "a1"], ["e0", "e1"], named("After", settings), settings)}
${count("codes", "d0 != e0")} ${count("codes", "d1 != e1")}
${walk.next}`,
  };
}

const counted = (name: SharedCount) => `counted${sharedCounts.indexOf(name)}`;

/** Adds 1 to a count if a condition holds. */
function countText(name: SharedCount, condition: string): string {
  return `${counted(name)} += select(0u, 1u, ${condition});`;
}

/** The step of weights that share scales; the scales after it are already known. */
export function sharedBody(settings: SharedMaster, advances: boolean, ahead: ReadAhead): StepBody {
  const { weights, packed } = statePlanes(settings);
  const walk = blockWalk(settings.blocks);
  const scales = scalesText([
    { table: "scalesBefore", time: "Before", words: "scale factor step" },
    { table: "scalesAfter", time: "After", words: "scale factor step" },
  ]);
  return {
    module: sharedText,
    before: `${sharedCounts.map((name) => `var ${counted(name)} = 0u;`).join("\n")}
${walk.before}
${scales.before}
if ${isFirstOfPiece} { ${countText("tensorScales", `${tensorWord("scalesBefore")} != ${tensorWord("scalesAfter")}`)} }
${forgetTensor(settings)}`,
    loads: [
      loadPair(["e0", "e1"], "state", weights, packed, ahead.word),
      loadPair(["c0", "c1"], "fp32", fp32Planes.now, false, ahead.word),
    ],
    stores: [
      storePair(["e0", "e1"], "state", weights, packed),
      advances ? storePair(["c0", "c1"], "fp32", fp32Planes.now, false) : "",
      walk.next,
    ],
    hasCarrier: true,
    opposes: true,
    draws: 1,
    pair: `${walk.here}
${scales.here}
${countText("blockScales", "isFirst & (scaleBefore != scaleAfter)")}`,
    counts: sharedCounts.map(counted),
    element: (half) => sharedElement(settings, half, advances),
  };
}

function sharedElement(settings: SharedMaster, half: number, advances: boolean): StepElement {
  const { blocks, format } = settings;
  const k = new WgslWriter();
  const { f32x4, i32x4, v128 } = k;
  const [update, code, carrier] = ["u", "e", "c"].map(u32);
  const [before, after] = ["Before", "After"].map((time) => named(time, settings));
  const weight = decoded(k, code, before, settings);
  const master = f32x4.add(carrier, update);
  const number = sent(k, master, settings);
  // The same bits under both scales.
  const random = () => u32(`draw0.${"xy"[half]}`);
  const { quotients, element } = quantized(k, number, after, settings, random);
  const stored = decoded(k, element, after, settings);
  // Equal factors give equal codes, so codes under the previous scale are computed only for blocks whose factor changed.
  const [codeMoves] = k.branch(
    "factorBefore != factorAfter",
    () => [f32x4.ne(quantized(k, number, before, settings, random).element, code)],
    () => [f32x4.ne(element, code)],
  );
  const beyond = f32x4.gt(magnitude(k, quotients), f32x4.constant(blocks.element.maxFinite));
  const zero = f32x4.constant(0);
  const flushed = v128.and(f32x4.ne(number, zero), f32x4.eq(element, zero));
  // The lower half of a NaN, which is not stored, is all ones.
  const asStored = isPacked(format) ? v128.and(element, i32x4.constant(0xffff_0000)) : element;
  const own: readonly (readonly [SharedCount, Wgsl])[] = [
    ["codes", v128.not(i32x4.eq(asStored, code))],
    ["clipped", beyond],
    ["flushed", v128.andnot(flushed, isNonfinite(k, magnitude(k, after.scale)))],
  ];
  const nonfinite = foundNonfinite(k, settings, { weight, carrier }, update, {
    weight: stored,
    carrier: master,
  });
  const place = placeOf(k, settings, code, before);
  return {
    text: `let u = u${half}; let c = c${half}; let e = e${half};
${k.text}
let w = ${weight.text};
${own.map(([name, mask]) => countText(name, mask.text)).join("\n")}`,
    weight: stored,
    nonfinite: nonfinite.text,
    carried: changed("c", master.text),
    stores: `e${half} = ${element.text};
${advances ? `c${half} = ${master.text};` : ""}`,
    shared: {
      collateral: `${codeMoves.text} == 0u`,
      counts: `${countText("collateral", "collateral")}
${countText("collateralZeros", "collateral & zero")}`,
      place,
    },
  };
}

/** The bin of an update by the gap of a code times the multiplier of elements: binOfGap of lens/histogram.ts. */
function placeOf(k: WgslWriter, settings: SharedMaster, code: Wgsl, { step }: Scale): string {
  const { blocks, format } = settings;
  const { first, count } = binsOf(settings);
  const ofCode = k.i32x4.shr_u(ulpBinade(k, code, blocks.element), exponentShift);
  const offset = format.precision - 1 - first + exponentBias;
  const ofSize = `exponentField(mu) + ${offset}u - ${ofCode.text}`;
  if (laneRule(blocks).powersOfTwo) return `${ofSize} - (${step.text} >> 23u)`;
  // If the step is not a power of two, neither is the gap, and an update with the smaller significand belongs in the bin below.
  const lesser = `select(0u, 1u, fraction32(mu) < fraction32(${step.text}))`;
  const bin = `bitcast<i32>(${ofSize} - exponentField(${step.text}) - ${lesser})`;
  return `select(bitcast<u32>(clamp(${bin}, 0, ${count - 1})), ${count - 1}u, ${step.text} == 0u)`;
}
