import { quantileDraw } from "../../../update/quantiles.js";
import { intendedAdamw } from "../../../update/recipe/adamw.js";
import type { Condition } from "../../../update/recipe/expression.js";
import { namesRead, writeRecipe } from "../../lane/recipe.js";
import type { FunctionWriter, V128 } from "../assembler/function.js";
import type { Layout, SimulationRows } from "../layout.js";
import { drawFrom, drawParameters, forEachDrawnGroup } from "./draws.js";
import { fma } from "./fma.js";
import { halves, vectorBytes } from "./groups.js";

/** AdamW on drawn gradients: update/simulated-adamw.ts. */

/** Parameters of `adamw`: those of a draw, the address of the step's scalars, and the gradients' scale as fp32 bits. */
export const adamwParameters = [...drawParameters, "i32", "i32"] as const;

/** Only an outlook; no update depends on it. */
const lines = intendedAdamw.weight.filter((line) => !line.startsWith("unguarded"));
const states = ["g", "M", "V", "P"] as const;

/** The numbers of a step that its lines read, in the order in which they lie in memory, fp32 each. */
export const adamwScalars = namesRead(lines).filter((name) => !states.some((state) => state === name));

/** The body of `signal(...)`: the part of the gradients that no step changes, in units of the noise. */
export function writeSignal(k: FunctionWriter, snr: number, normal: number, signal: number): void {
  forEachDrawnGroup(k, quantileDraw, (row, bits, base) => {
    for (const half of halves) {
      const product = k.f32x4.mul(k.f32x4.constant(snr), drawFrom(k, base, normal, bits[half]));
      k.store("v128", product, row, signal + half * vectorBytes);
    }
  });
}

/** The body of `adamw(...)`: draws the gradients of a step and makes updates of them. */
export function writeAdamw(
  k: FunctionWriter,
  layout: Layout,
  { m, v, signal, noise }: SimulationRows & { readonly noise: number },
  holds: (condition: Condition) => boolean,
): void {
  const { f32x4, i32x4 } = k;
  const at = k.parameter(6, "i32");
  const scale = i32x4.splat(k.parameter(7, "i32"));
  const scalars = adamwScalars.map((name, i): [string, V128] => [name, k.load("v128_32_splat", at, 4 * i)]);
  forEachDrawnGroup(k, quantileDraw, (row, bits, base) => {
    for (const half of halves) {
      const place = (offset: number) => offset + half * vectorBytes;
      const noisy = drawFrom(k, base, noise, bits[half]);
      const gradient = f32x4.mul(scale, f32x4.add(noisy, k.load("v128", row, place(signal))));
      const values = new Map<string, V128>([
        ...scalars,
        ["g", gradient],
        ["M", k.load("v128", row, place(m))],
        ["V", k.load("v128", row, place(v))],
        ["P", k.load("v128", row, place(layout.now))],
      ]);
      writeRecipe(k, (a, b, c) => fma(k, a, b, c), lines, values, holds);
      k.store("v128", values.get("M")!, row, place(m));
      k.store("v128", values.get("V")!, row, place(v));
      k.store("v128", values.get("u")!, row, place(layout.updates));
    }
  });
}
