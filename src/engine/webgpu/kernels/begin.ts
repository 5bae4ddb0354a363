import type { WeightDraws } from "../../../update/weight-draws.js";
import { between, cellOf, weightOf } from "../../lane/draws.js";
import { round } from "../../lane/round.js";
import type { WebGpuSettings } from "../admission.js";
import { endCounts, endRowWords, fp32Planes, type Planned, type StatePlane, statePlanes } from "../layout.js";
import { u32, type Wgsl, WgslWriter } from "../wgsl/writer.js";
import { drawText, kernelText, loadPair, ofPiece, storePair } from "./text.js";

/** The distribution and format of drawn weights; mean and sigma are constants of each piece. */
export type DrawnWeights = Pick<WeightDraws, "distribution" | "format">;

/** The number drawn by random bits from a distribution; the parameter `knots` names the offset of its knots. */
export function drawnNumber(k: WgslWriter, bits: Wgsl, knots: "table" | "signal" | "knots"): Wgsl {
  const at = `params.${knots} + ${cellOf(k, bits).text}`;
  const [low, high] = [k.let(u32(`constants[${at}]`)), k.let(u32(`constants[${at} + 1u]`))];
  return between(k, bits, low, high);
}

/** Starts the fp32 run from drawn weights, or from weights uploaded in batch order. */
export function beginKernel(drawn: DrawnWeights | null): string {
  const store = [fp32Planes.given, fp32Planes.now].map((plane) =>
    storePair(["g0", "g1"], "fp32", plane, false),
  );
  if (drawn === null) {
    return kernelText({
      pair: `let g0 = updates[2u * pair]; let g1 = updates[2u * pair + 1u];\n${store.join("\n")}`,
    });
  }
  const weights = [0, 1].map((half) => {
    const k = new WgslWriter(`g${half}_`);
    const z = drawnNumber(k, u32(`bits.${"xy"[half]}`), "knots");
    const weight = weightOf(k, z, u32("mean"), u32("sigma"), drawn.format);
    return `${k.text}\nlet g${half} = select(0u, ${weight.text}, element + ${half}u < length);`;
  });
  return kernelText({
    before: `
let mean = ${ofPiece("mean")}; let sigma = ${ofPiece("sigma")};
let keyLow = ${ofPiece("weightKeyLow")}; let keyHigh = ${ofPiece("weightKeyHigh")};`,
    pair: `let bits = ${drawText("keyLow", "keyHigh", 0)};\n${[...weights, ...store].join("\n")}`,
  });
}

/**
 * Stores the weights of a case like startState of update/apply.ts, and counts those altered by it.
 *
 * @param from the weights of the fp32 run, or uploaded ones that the host has already rounded.
 */
export function beginCaseKernel(settings: WebGpuSettings, from: "given" | "uploaded"): string {
  const planes = statePlanes(settings);
  const stored = [0, 1].map((half) => {
    const k = new WgslWriter(`s${half}_`);
    const given = u32(`g${half}`);
    const w = round(k, given, { ...settings, rounding: "nearest-even" }, () => k.i32x4.constant(0));
    const changed = k.v128.and(k.f32x4.ne(w, given), k.f32x4.eq(given, given));
    return `${k.text}\nlet w${half} = ${w.text};\naltered += select(0u, 1u, ${changed.text});`;
  });
  const load =
    from === "given"
      ? loadPair(["g0", "g1"], "fp32", fp32Planes.given, false)
      : "let g0 = updates[2u * pair]; let g1 = updates[2u * pair + 1u];";
  const masters = (settings.recipe?.carriers ?? []).flatMap((carrier) =>
    carrier.from === "weight" ? planes.states.get(carrier.name)!.plane : [],
  );
  return kernelText({
    before: "var altered = 0u;",
    pair: `${load}
${stored.join("\n")}
${storePair(["w0", "w1"], "state", planes.start, planes.packed)}
${storePair(["w0", "w1"], "state", planes.weights, planes.packed)}
${masters.length === 0 ? "" : loadPair(["m0", "m1"], "fp32", fp32Planes.given, false)}
${masters.map((plane) => storePair(["m0", "m1"], "state", plane, false)).join("\n")}`,
    after: `if (altered != 0u) {
atomicAdd(&counts[params.row + piece * ${endRowWords}u + ${endCounts.indexOf("castChanged")}u], altered);
}`,
  });
}

/** Copies the stored weights of a case to `updates`, in batch order. */
export function collectKernel(settings: Planned): string {
  const planes = statePlanes(settings);
  return kernelText({
    pair: `${loadPair(["w0", "w1"], "state", planes.weights, planes.packed)}
updates[2u * pair] = w0; updates[2u * pair + 1u] = w1;`,
  });
}

/** Sets a state of a case, or a moment of the fp32 run, to numbers uploaded in batch order. */
export function loadStateKernel({ plane, packed }: StatePlane): string {
  return kernelText({
    pair: `var g0 = updates[2u * pair]; var g1 = updates[2u * pair + 1u];
${storePair(["g0", "g1"], "state", plane, packed)}`,
  });
}
