import { quantileDraw } from "../../../update/quantiles.js";
import type { Condition } from "../../../update/recipe/expression.js";
import { adamwScalars, adamwStep } from "../../lane/adamw.js";
import type { FunctionWriter } from "../assembler/function.js";
import type { Layout, SimulationRows } from "../layout.js";
import { drawFrom, drawParameters, forEachDrawnGroup } from "./draws.js";
import { fma } from "./fma.js";
import { halves, vectorBytes } from "./groups.js";

/** Parameters of `adamw`: those of a draw, the address of the step's scalars, the fp32 bits of the gradient scale. */
export const adamwParameters = [...drawParameters, "i32", "i32"] as const;

/** The body of `signal(...)`: the part of the gradients that is constant over steps, in units of the noise. */
export function writeSignal(k: FunctionWriter, snr: number, normal: number, signal: number): void {
  forEachDrawnGroup(k, quantileDraw, (row, bits, base) => {
    for (const half of halves) {
      const product = k.f32x4.mul(k.f32x4.constant(snr), drawFrom(k, base, normal, bits[half]));
      k.store("v128", product, row, signal + half * vectorBytes);
    }
  });
}

/** The body of `adamw(...)`: draws the gradients of a step and computes its updates. */
export function writeAdamw(
  k: FunctionWriter,
  layout: Layout,
  { m, v, signal, noise }: SimulationRows & { readonly noise: number },
  holds: (condition: Condition) => boolean,
): void {
  const { f32x4, i32x4 } = k;
  const at = k.parameter(6, "i32");
  const scale = i32x4.splat(k.parameter(7, "i32"));
  const scalars = adamwScalars.map((_, i) => k.load("v128_32_splat", at, 4 * i));
  forEachDrawnGroup(k, quantileDraw, (row, bits, base) => {
    for (const half of halves) {
      const place = (offset: number) => offset + half * vectorBytes;
      const noisy = drawFrom(k, base, noise, bits[half]);
      const before = {
        gradient: f32x4.mul(scale, f32x4.add(noisy, k.load("v128", row, place(signal)))),
        m: k.load("v128", row, place(m)),
        v: k.load("v128", row, place(v)),
        weight: k.load("v128", row, place(layout.now)),
      };
      const after = adamwStep(k, (a, b, c, written) => fma(k, a, b, c, written), scalars, before, holds);
      k.store("v128", after.m, row, place(m));
      k.store("v128", after.v, row, place(v));
      k.store("v128", after.update, row, place(layout.updates));
    }
  });
}
