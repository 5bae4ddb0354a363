import { quantileDraw } from "../../../update/quantiles.js";
import type { SimulatedRun } from "../../../update/simulated-adamw.js";
import { adamwScalars, adamwStep, conditionsOf } from "../../lane/adamw.js";
import { fp32Planes, momentPlanes } from "../layout.js";
import { u32, WgslWriter } from "../wgsl/writer.js";
import { drawnNumber } from "./begin.js";
import { drawText, kernelText, loadPair, ofPiece, storePair } from "./text.js";

/**
 * Draws the gradients of a step and writes AdamW's updates to `updates`, as in update/simulated-adamw.ts. `state`
 * holds the moments; the weights are those of the fp32 run before the step.
 */
export function adamwKernel(run: SimulatedRun): string {
  const hasSignal = run.snr !== 0;
  const holds = conditionsOf(run);
  const elements = [0, 1].map((half) => {
    const k = new WgslWriter();
    const word = (name: string) => u32(`${name}.${"xy"[half]}`);
    const noise = drawnNumber(k, word("noise"), "table");
    const signal = hasSignal
      ? k.f32x4.mul(k.f32x4.constant(run.snr), drawnNumber(k, word("own"), "signal"))
      : k.i32x4.constant(0);
    const before = {
      gradient: k.f32x4.mul(u32("scale"), k.f32x4.add(noise, signal)),
      m: u32(`m${half}`),
      v: u32(`v${half}`),
      weight: u32(`c${half}`),
    };
    const scalars = adamwScalars.map((_, i) => u32(`scalar${i}`));
    const { m, v, update } = adamwStep(k, k.fma, scalars, before, holds);
    return `{
${k.text}
m${half} = ${m.text}; v${half} = ${v.text};
updates[2u * pair + ${half}u] = select(0u, ${update.text}, element + ${half}u < length);
}`;
  });
  return kernelText({
    before: `
let scale = ${ofPiece("gradientScale")};
let keyLow = constants[params.keys + 2u * piece]; let keyHigh = constants[params.keys + 2u * piece + 1u];
let ownLow = ${ofPiece("signalKeyLow")}; let ownHigh = ${ofPiece("signalKeyHigh")};
${adamwScalars.map((_, i) => `let scalar${i} = constants[params.scalars + ${i}u];`).join("\n")}`,
    pair: `
let noise = ${drawText("keyLow", "keyHigh", quantileDraw)};
${hasSignal ? `let own = ${drawText("ownLow", "ownHigh", quantileDraw)};` : ""}
${loadPair(["m0", "m1"], "state", momentPlanes.m, false)}
${loadPair(["v0", "v1"], "state", momentPlanes.v, false)}
${loadPair(["c0", "c1"], "fp32", fp32Planes.now, false)}
${elements.join("\n")}
${storePair(["m0", "m1"], "state", momentPlanes.m, false)}
${storePair(["v0", "v1"], "state", momentPlanes.v, false)}`,
  });
}
