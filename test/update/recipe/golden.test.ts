import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adamw } from "../../../src/update/optimizer.js";
import { expectEqual } from "../../support/mismatches.js";
import { readGolden } from "../../support/safetensors.js";

const files = readdirSync(new URL("../../data/golden/adamw/", import.meta.url));

/** The numbers of bf16 codes, by their bits. */
function numbers(codes: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(codes, (code) => code << 16).buffer);
}

/** Of fp32 numbers that are bf16, +0 and -0 apart. */
function codes(values: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(values.slice().buffer), (bits) => bits >>> 16);
}

describe("torch.optim.AdamW 2.13.0+cpu on bf16", () => {
  it("there are twelve files", () => expect(files).toHaveLength(12));

  it.each(files)("%s: p, m and v at all ten steps, no bit differs", (file) => {
    const golden = readGolden(`adamw/${file}`);
    const { impl, lr, betas, eps, weight_decay } = golden.metadata;
    const optimizer = adamw({
      recipe: `torch-2.13-cpu-${impl}`,
      lr: Number(lr),
      betas: JSON.parse(betas),
      eps: Number(eps),
      weightDecay: Number(weight_decay),
    });
    let state = optimizer.init(numbers(golden.bfloat16("p.0")));
    for (let t = 1; t <= 10; t++) {
      state = optimizer.step(state, numbers(golden.bfloat16(`g.${t}`)));
      for (const name of ["p", "m", "v"]) {
        expectEqual(codes(state.values[name]), golden.bfloat16(`${name}.${t}`), `${name}.${t}`);
      }
    }
  });

  it("the recipe of another implementation gives other bits", () => {
    for (const [file, other] of [
      ["for-loop-1", "torch-2.13-cpu-foreach"],
      ["foreach-1", "torch-2.13-cpu-fused"],
      ["fused-1", "torch-2.13-cpu-for-loop"],
    ]) {
      const golden = readGolden(`adamw/adamw-bf16-${file}.safetensors`);
      const optimizer = adamw({ recipe: other, lr: 1e-5, betas: [0.9, 0.95], weightDecay: 0.1 });
      let state = optimizer.init(numbers(golden.bfloat16("p.0")));
      for (let t = 1; t <= 10; t++) state = optimizer.step(state, numbers(golden.bfloat16(`g.${t}`)));
      const [v, p] = [codes(state.values.v), codes(state.values.p)];
      expect([v, p]).not.toEqual([golden.bfloat16("v.10"), golden.bfloat16("p.10")]);
    }
  });
});
