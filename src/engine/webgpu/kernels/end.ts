import { schemes } from "../../../update/scheme.js";
import { displacement } from "../../lane/numbers.js";
import {
  endCounts,
  endRowWords,
  endSums,
  flagPlanes,
  fp32Planes,
  isRun,
  type Planned,
  statePlanes,
} from "../layout.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import { sharedEnd } from "./shared.js";
import { countText, flagsOf, kernelText, loadPair, sumText, talliesText } from "./text.js";

/** The published probes of lens/probes.ts for the end of a run, and sums of products. Valid for all numbers. */
const moduleText = `
// |after - before| <= 1e-3 max(|before|, |after|). Such numbers are at most one binade apart, so both are
// multiples of the smaller one's ulp and the difference is exact. The fp64 number 1e-3 exceeds a thousandth by too
// little to matter for integers below 2^25.
fn pathNotTaken(before: u32, after: u32) -> bool {
  let mb = before & 0x7fffffffu; let ma = after & 0x7fffffffu;
  let eb = exponent32(mb); let ea = exponent32(ma);
  let low = min(ea, eb);
  let near = max(ea, eb) - low <= 1u;
  let b = significand32(mb) << min(eb - low, 1u); let a = significand32(ma) << min(ea - low, 1u);
  let d = select(max(a, b) - min(a, b), a + b, (after ^ before) >= 0x80000000u);
  return ((ma | mb) == 0u) | (near & (d < 0x400000u) & (d * 1000u <= max(a, b)));
}

// |after - before| <= 1e-5. 0x3727c5ac is the largest fp32 number below the fp64 number 1e-5, and 0x2a8e368f the
// largest below the difference of these two, which is less than half an ulp: if the fp32 difference is 0x3727c5ac,
// its rounding error decides.
fn smallSubnetworks(before: u32, after: u32) -> bool {
  let d = add32(after, before ^ 0x80000000u);
  let m = d & 0x7fffffffu;
  var small = m < 0x3727c5acu;
  if (m == 0x3727c5acu) {
    // Knuth's TwoSum, as in sumTail of format/float64.ts.
    let minus = before ^ 0x80000000u;
    let rounded = add32(d, after ^ 0x80000000u);
    let tail = add32(
      add32(after, add32(d, rounded ^ 0x80000000u) ^ 0x80000000u),
      add32(minus, rounded ^ 0x80000000u));
    small = order32(tail ^ (d & 0x80000000u)) <= 0x2a8e368f;
  }
  return small;
}

fn addProduct(sum: Sum, a: u32, b: u32) -> Sum {
  let ma = a & 0x7fffffffu; let mb = b & 0x7fffffffu;
  let p = product32(significand32(ma), significand32(mb));
  return add64(sum, (a ^ b) >= 0x80000000u, p.hi, p.lo, bitcast<i32>(exponent32(ma) + exponent32(mb)));
}
`;

/** The sums needed for a case; the others are derived from these (tallies.ts). */
export function endSumsOf(settings: Planned) {
  if (isRun(settings)) return endSums.slice(0, 3);
  return endSums.slice(0, schemes[settings.scheme].holds === "weight" ? 4 : 5);
}

/**
 * Compares the current weights of a case with the start, like countEnds of engine/end.ts. Padding counts as
 * unchanged and never updated; the host subtracts it.
 */
export function endKernel(settings: Planned): string {
  const planes = statePlanes(settings);
  const sums = endSumsOf(settings);
  const shared = settings.blocks ? sharedEnd(settings) : null;
  const counts = endCounts.slice(0, endCounts.indexOf(shared ? "castChanged" : "codes"));
  const lanes = 2 * sums.length;
  const elements = [0, 1].map((half) => elementText(settings, half));
  return kernelText({
    module: `${moduleText}${shared?.module ?? ""}${talliesText(counts.length, sums.length)}`,
    before: `var n: array<u32, ${counts.length}>;
${shared?.before ?? ""}
var sums: array<Sum, ${lanes}>;
for (var s = 0u; s < ${lanes}u; s++) { sums[s] = zeroSum(); }
var left: array<u32, ${lanes}>; var right: array<u32, ${lanes}>;`,
    beforeChunk: `
let flagsMoved = ${flagsOf("state", planes.count, flagPlanes.moved)};
let flagsNonfinite = ${flagsOf("state", planes.count, flagPlanes.nonfinite)};
let flagsUpdated = ${flagsOf("fp32", fp32Planes.count, 0)};`,
    pair: `
${
  shared?.pair ??
  `${loadPair(["b0", "b1"], "state", planes.start, planes.packed)}
${loadPair(["a0", "a1"], "state", planes.weights, planes.packed)}`
}
${planes.carriers === null ? "" : loadPair(["k0", "k1"], "state", planes.carriers.plane, planes.carriers.packed)}
${loadPair(["g0", "g1"], "fp32", fp32Planes.given, false)}
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${elements.join("\n")}
for (var s = 0u; s < ${lanes}u; s++) { sums[s] = addProduct(sums[s], left[s], right[s]); }`,
    after: `
${countText(
  counts.map((_, i) => `n[${i}]`),
  endRowWords,
)}
${sumText(sums.length, endCounts.length, "sums")}`,
  });
}

function elementText(settings: Planned, half: number): string {
  const { holds } = schemes[settings.scheme];
  const k = new WgslWriter();
  const [before, after, given, now, carrier] = ["b", "a", "g", "c", "k"].map((name) => u32(`${name}${half}`));
  const fp32 = displacement(k, now, given);
  const visible = displacement(k, after, before);
  // As retainedDisplacement of engine/end.ts; for a scheme's master it is the displacement of the fp32 run.
  const retained = isRun(settings)
    ? fp32
    : holds === "sum"
      ? displacement(k, visible, k.f32x4.neg(carrier))
      : holds === "carrier"
        ? displacement(k, carrier, given)
        : visible;
  const noise = isRun(settings) ? null : displacement(k, retained, fp32);
  const factors: Readonly<Record<(typeof endSums)[number], readonly [Wgsl, Wgsl] | null>> = {
    displacementSquared: [fp32, fp32],
    product: [visible, fp32],
    weightSquared: [given, given],
    noiseSquared: noise && [noise, noise],
    retainedProduct: [retained, fp32],
  };
  const terms = endSumsOf(settings).map((name, sum) => {
    const [a, b] = factors[name]!;
    const at = 2 * sum + half;
    return `left[${at}] = select(${a.text}, 0u, gone); right[${at}] = select(${b.text}, 0u, gone);`;
  });
  const count = (name: (typeof endCounts)[number], condition: string) =>
    `n[${endCounts.indexOf(name)}] += select(0u, 1u, ${condition});`;
  const bit = (flags: string) => `((${flags} >> (2u * i + ${half}u)) & 1u) == 1u`;
  return `{
let gone = (${bit("flagsNonfinite")}) | (max(g${half} & 0x7fffffffu, c${half} & 0x7fffffffu) >= 0x7f800000u);
let unchanged = !gone & ((a${half} == b${half}) | (((a${half} | b${half}) & 0x7fffffffu) == 0u));
${count("nonfinite", "gone")}
${count("unchanged", "unchanged")}
${count("still", `unchanged & eq32(c${half}, g${half})`)}
${count("neverUpdated", `unchanged & !(${bit("flagsUpdated")})`)}
${count("returned", `unchanged & (${bit("flagsMoved")})`)}
${count("pathNotTaken", `!gone & pathNotTaken(b${half}, a${half})`)}
${count("smallSubnetworks", `!gone & smallSubnetworks(b${half}, a${half})`)}
${k.text}
${terms.join("\n")}
}`;
}
