/**
 * Operations an element of the webgpu kernels, counted from their text. No device is needed.
 * Usage: npm run bench -- operations
 */

import { RecipeScalars } from "../src/engine/lane/recipe-scalars.js";
import type { WebGpuSettings } from "../src/engine/webgpu/admission.js";
import { kernelsOf } from "../src/engine/webgpu/kernels/kernels.js";
import { schemeSettings } from "../src/update/block-settings.js";
import { recipeSettings } from "../src/update/optimizer.js";
import { updateSettings } from "../src/update/settings.js";
import { countOperations, stages } from "./wgsl-operations.js";

const recipe = (optimizer: "adamw" | "sgd" | "lion", name: string) =>
  recipeSettings(optimizer, name, { format: "bf16", lr: 1e-6, weightDecay: 0.1 });

const cases: readonly (readonly [name: string, settings: WebGpuSettings])[] = [
  ["bf16 in-place", updateSettings({ format: "bf16" })],
  ["bf16 in-place, stochastic", updateSettings({ format: "bf16", rounding: "stochastic" })],
  ["bf16 master", updateSettings({ format: "bf16", scheme: "master" })],
  ["bf16 kahan", updateSettings({ format: "bf16", scheme: "kahan" })],
  ["bf16 two-term", updateSettings({ format: "bf16", scheme: "two-term" })],
  ["e4m3fn in-place", updateSettings({ format: "e4m3fn" })],
  ...["mxfp8-e4m3", "nvfp4", "fp8-128x128"].map(
    (format) => [`${format} master`, schemeSettings({ format, scheme: "master" }) as WebGpuSettings] as const,
  ),
  ...["torch-2.13-cpu-foreach", "torch-2.13-cuda-fused", "master", "collage-plus"].map(
    (name) => [`AdamW ${name}`, recipe("adamw", name)] as const,
  ),
  ["SGD torch-2.13-cuda-fused", recipe("sgd", "torch-2.13-cuda-fused")],
];

export function operations(): void {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  process.stdout.write(row(["kernel", ...stages, "all"]));
  process.stdout.write(row(["---", ...stages.map(() => "---:"), "---:"]));
  const write = (name: string, text: string, loop?: string, elements?: number) => {
    const counts = countOperations(text, loop, elements);
    const all = stages.reduce((sum, stage) => sum + counts[stage], 0);
    // Of blocks of many weights almost nothing is for one.
    if (all >= 0.5)
      process.stdout.write(row([name, ...[...stages.map((stage) => counts[stage]), all].map(shown)]));
  };
  const runs = new Set<string>();
  for (const [name, settings] of cases) {
    const scalars = settings.recipe ? new RecipeScalars([settings]) : null;
    const group = { weights: null, updates: { kind: "uploaded" } } as const;
    const { updates, cases } = kernelsOf(group, [settings], scalars);
    if (updates !== null && !runs.has(updates)) write(`fp32 run, ${name.split(" ")[0]}`, updates);
    if (updates !== null) runs.add(updates);
    const [step, ...before] = cases[0].step.toReversed();
    for (const text of cases[0].measure) write(`largest, ${name}`, text);
    // A thread takes a block.
    if (settings.blocks)
      for (const text of before)
        write(`scales, ${name}`, text, "let largest =", settings.blocks.rows * settings.blocks.columns);
    write(`step, ${name}`, step);
    if (name === "bf16 in-place" || name === "bf16 kahan" || settings.blocks)
      for (const text of cases[0].end) write(`end, ${name}`, text);
  }
}

function shown(count: number): string {
  return String(Math.round(count)).replace(/^0$/, "");
}
