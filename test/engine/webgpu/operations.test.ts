import { expect, it } from "vitest";
import { countOperations, countText, functionsOf, stages } from "../../../bench/wgsl-operations.js";
import { RecipeScalars } from "../../../src/engine/lane/recipe-scalars.js";
import { kernelsOf } from "../../../src/engine/webgpu/kernels/kernels.js";
import { recipeSettings } from "../../../src/update/optimizer.js";

const text = `
// a + b is no operation here.
fn add32(a: u32, b: u32) -> u32 { return bitcast<u32>(a + b) >> 1u; }
fn twice(a: u32) -> u32 { let x = add32(a, a); return x * 2u; }
fn looped(a: u32) -> u32 {
  var s = a;
  for (var i = 0u; i < 5u; i++) { s += select(0u, 1u, s < 3u); }
  return ~s;
}`;

it("counts operators and built-in functions, and what functions and loops do as often as they do it", () => {
  const functions = functionsOf(text);
  const count = (name: string) => countText(name, functions, "rest");
  expect(count("let x = a & (b | c);").rest).toBe(2);
  expect(count("updates[2u * pair] = max(a, b);")).toMatchObject({ memory: 1, rest: 2 });
  // Of another stage: the sum and its shift.
  expect(count("let x = twice(a);")).toMatchObject({ "fp32 sums": 2, rest: 1 });
  // Five times: +=, select, <; and ~.
  expect(count("let x = looped(a);").rest).toBe(16);
});

it("finds quotients, roots and fused sums where a recipe has them, an element's half of a pair", () => {
  const settings = recipeSettings("adamw", "fp32", { format: "fp32", lr: 1 });
  const kernels = kernelsOf(
    { weights: null, updates: { kind: "uploaded" } },
    [settings],
    new RecipeScalars([settings]),
  );
  const found = countOperations(kernels.updates!);
  const all = functionsOf(kernels.updates!);
  const ofOne = (name: string) => countText(`let x = ${name}(a, b, c);`, all, "rest");
  // V / root and M / (d + e); one root; both branches of lerp, and v.
  expect(found.quotients).toBe(2 * ofOne("div32").quotients);
  expect(found.roots).toBe(ofOne("sqrt32").roots);
  expect(found["fused sums"]).toBe(3 * ofOne("fma32")["fused sums"]);
  expect(stages.every((stage) => found[stage] >= 0)).toBe(true);
});
