import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { selectEngine } from "../../../src/engine/select.js";
import { agrees, agreesOn, madeJob } from "../../../src/engine/twin-check.js";
import { type Device, openDevice } from "../../../src/engine/webgpu/device.js";
import { webGpuEngine } from "../../../src/engine/webgpu/webgpu.js";
import { type BlockOptions, schemeSettings } from "../../../src/update/block-settings.js";
import { recipeSettings } from "../../../src/update/optimizer.js";
import { updateSettings } from "../../../src/update/settings.js";
import { prepareDawn } from "../../support/dawn.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { fullTier, sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

/** A device whose kernels are not those that were asked for. */
function altered(device: Device, from: string, to: string): Device {
  let found = false;
  const alter = (text: string) => {
    found ||= text.includes(from);
    return text.replaceAll(from, to);
  };
  return Object.assign(Object.create(device) as Device, {
    mostWords: device.mostWords,
    compile: (kernels: Iterable<string>) => device.compile([...kernels].map(alter)),
    launch: (launches: Parameters<Device["launch"]>[0]) =>
      device.launch(launches.map((launch) => ({ ...launch, kernel: alter(launch.kernel) }))),
    buffer: (words: number) => device.buffer(words),
    parameters: (...args: Parameters<Device["parameters"]>) => device.parameters(...args),
    bind: (...args: Parameters<Device["bind"]>) => device.bind(...args),
    write: (...args: Parameters<Device["write"]>) => device.write(...args),
    clear: (...args: Parameters<Device["clear"]>) => device.clear(...args),
    done: () => device.done(),
    read: (...args: Parameters<Device["read"]>) => device.read(...args),
    guard: (work: () => Promise<unknown>) => device.guard(work),
    destroy: () => expect(found, `no kernel has ${from}`).toBe(true),
  });
}

/** A wrong kernel: what is wrong, a case that uses it, and what to replace in its text. */
type WrongKernel = readonly [
  what: string,
  options: BlockOptions | "made" | "recipe",
  from: string,
  to: string,
];

const shared = { format: "mxfp8-e4m3:rceil", scheme: "master" } as const;
const tensorScale = { format: "nvfp4", scheme: "master" } as const;

const tellingKernels: readonly WrongKernel[] = [
  ["a tie that goes up", { format: "bf16" }, "+ 32767u", "+ 32768u"],
  ["a sum without its sticky bit", { format: "bf16" }, "select(0u, 1u, sticky != 0u)", "0u"],
];

/** Compiling the kernels that make numbers takes SwiftShader seconds: their sums are in synthetic.test.ts in both tiers. */
const otherKernels: readonly WrongKernel[] = [
  [
    "a quotient that is one too low",
    "made",
    "q = (q << bits) | digit;",
    "q = (q << bits) | (digit - select(0u, 1u, (i == 3u) & (digit > 0u)));",
  ],
  ["a histogram one bin off", { format: "bf16" }, "exponentField(mu) + ", "exponentField(mu) + 1u + "],
  ["an end that forgets a class", { format: "bf16" }, "n[3] += select(0u, 1u,", "n[3] += select(0u, 0u,"],
  [
    "a quotient of a recipe that is one too low",
    "recipe",
    "q = (q << bits) | digit;",
    "q = (q << bits) | (digit - select(0u, 1u, (i == 3u) & (digit > 0u)));",
  ],
  [
    "a root of a recipe without what is left",
    "recipe",
    "root << 6u, rest + select(0u, 2u * root + 1u, high))",
    "root << 6u, 0u)",
  ],
  ["a condition that always holds", "recipe", "] != 0u;", "] != 2u;"],
  ["a cause of the wrong name", "recipe", "counted1 += ", "counted2 += "],
  [
    "a root without what is left",
    "made",
    "root << 6u, rest + select(0u, 2u * root + 1u, high))",
    "root << 6u, 0u)",
  ],
  [
    "a fused product that is rounded twice",
    "made",
    "return pack32(select(sign, c & 0x80000000u, swapped), ex, hi, lo);",
    "return add32(pack32(sign, kp, p.hi, p.lo), c);",
  ],
  [
    "quantiles of a neighbour",
    "made",
    "constants[params.table + (drawn.y",
    "constants[params.table + (drawn.x",
  ],
  ["an addition without its sticky bit", { format: "fp32" }, "(shifted << d) != sy", "false"],
  ["a rotation by one bit more", { format: "bf16", rounding: "stochastic" }, "<< 13u", "<< 14u"],
  [
    "the largest number of a block without its significand",
    shared,
    "+ held], largest)",
    "+ held], largest & 0xff800000u)",
  ],
  [
    "a short block that begins no row of blocks",
    shared,
    "band += 1u;",
    "band += select(0u, 1u, column > 0u);",
  ],
  [
    "a scale of a tensor that never gets smaller",
    tensorScale,
    "params.scaleBlocks + piece] = 0u",
    "params.scaleBlocks + piece] |= 0u",
  ],
  ["a scale that doubles at another significand", shared, "+ 2097151u", "+ 2097152u"],
  ["a scale whose change is not counted", shared, "isFirst & (scaleBefore != scaleAfter)", "false"],
  [
    "an element under another scale",
    shared,
    "min(m + ((code - 127u) << 23u)",
    "min(m + ((code - 126u) << 23u)",
  ],
  ["a carrier that is not compensated", { format: "bf16", scheme: "kahan" }, "k0 = t", "k0 = 0u & t"],
  ["overflow that saturates", { format: "e4m3fn" }, "1138753536u", "1139802112u"],
  ["a sum that rounds ties up", { format: "bf16" }, "0x1ffu + (top << 9u)", "0x200u + (top << 9u)"],
  ["the ulp rule at equality", { format: "bf16" }, "mu < mw - 0x04000000u", "mu <= mw - 0x04000000u"],
  ["an fp32 run that stands still", { format: "bf16" }, "c1 = t", "c1 = c; // t"],
  ["subnormals that are zero", { format: "bf16" }, "return max(m >> 23u, 1u);", "return m >> 23u;"],
];

const wrongRecipe = recipeSettings("adamw", "torch-2.13-cuda-fused", { lr: 1e-4, format: "bf16" });

describeNeeding(requirements.vulkan, "the webgpu engine refuses", () => {
  let device: Device;
  const withDevice = (engine: Engine): ReadonlyMap<string, Engine> => new Map([["webgpu", engine]]);
  const jobOf = (...cases: BlockOptions[]) => {
    const { weights, updates } = gaussianRun(5, 10_000, 3);
    return {
      tensors: [tensorOf("w", weights, ...updates)],
      stepNumbers: [0, 1, 2],
      cases: cases.map(schemeSettings),
    };
  };

  beforeAll(async () => {
    prepareDawn();
    device = await openDevice();
  });
  afterAll(() => device.destroy());

  it.each(sized({ quick: tellingKernels, full: [...tellingKernels, ...otherKernels] }))(
    "%s",
    async (what, caseOptions, from, to) => {
      const engine = webGpuEngine(async () => altered(device, from, to));
      const options = typeof caseOptions === "string" ? ({ format: "bf16" } as const) : caseOptions;
      const cases = [caseOptions === "recipe" ? wrongRecipe : schemeSettings(options)];
      if (!fullTier || what !== tellingKernels[0][0]) {
        // The part of the self-check that tells: what it finds the whole finds. All of it takes SwiftShader a quarter of a
        // minute to compile.
        const isRight = await (caseOptions === "made"
          ? agreesOn(engine, reference, madeJob())
          : agrees(engine, reference, cases, true));
        // What no job tells, its literal cases do.
        if (isRight) expect((await engine.selfCheck(cases)).failed).toBeGreaterThan(0);
      } else {
        const { failed, firstFailure } = await engine.selfCheck(cases);
        expect(failed).toBeGreaterThan(0);
        expect(firstFailure).toMatch(/"format":|drawn/);
        await expect(selectEngine("webgpu", jobOf(options), withDevice(engine))).rejects.toThrow(
          "fails its self-check on",
        );
      }
      await engine.close?.();
    },
  );

  it("nothing where nothing is altered", async () => {
    const engine = webGpuEngine(async () => device);
    const cases = [updateSettings({ format: "bf16" })];
    expect(await agrees(engine, reference, cases, true)).toBe(true);
    if (!fullTier) return;
    expect(await agreesOn(engine, reference, madeJob())).toBe(true);
    expect(await engine.selfCheck()).toMatchObject({ failed: 0 });
    expect((await selectEngine("webgpu", jobOf({ format: "bf16" }), withDevice(engine))).engine).toBe(engine);
    expect((await selectEngine("gpu", jobOf({ format: "bf16" }), withDevice(engine))).engine).toBe(engine);
  });

  it("recipes that no kernel can be written of, and what exact operations cannot be", async () => {
    const engine = webGpuEngine(async () => device);
    expect(engine.refuses?.([wrongRecipe])).toBeNull();
    const power = { ...wrongRecipe.recipe, weight: ["p = p ^ 2"] };
    expect(engine.refuses?.([{ ...wrongRecipe, recipe: power }])).toBe(
      'recipe line "p = p ^ 2": no ^ of 2 for each weight',
    );
    const job = jobOf({ format: "fp32", opmath: "exact" });
    await expect(engine.run(job)).rejects.toThrow("engine webgpu: under exact opmath");
    await expect(engine.run(job)).rejects.toThrow(RangeError);
  });

  it("a machine that has none, in one sentence", async () => {
    const engine = webGpuEngine(async () => {
      throw new Error("there is no Vulkan driver");
    });
    expect(await engine.unavailable?.()).toBe("no WebGPU device: there is no Vulkan driver");
    await expect(selectEngine("gpu", undefined, withDevice(engine))).rejects.toThrow(
      "engine gpu: engine webgpu: no WebGPU device: there is no Vulkan driver",
    );
  });

  it("to count on after the device had an error", async () => {
    // More than a buffer may have.
    const engine = webGpuEngine(async () =>
      Object.assign(altered(device, "", ""), { buffer: () => device.buffer(2 ** 40) }),
    );
    await expect(engine.run(jobOf({ format: "bf16" }))).rejects.toThrow(/^the GPU failed \(.*\): /);
  });

  it("a device that is lost, in one sentence", async () => {
    const lost = await openDevice();
    const engine = webGpuEngine(async () => lost);
    const counting = engine.run(jobOf({ format: "bf16" }), { progress: () => lost.destroy() });
    await expect(counting).rejects.toThrow(/^the GPU was lost: [^\n]+$/);
    await expect(engine.run(jobOf({ format: "bf16" }))).rejects.toThrow(/^the GPU was lost: [^\n]+$/);
  });
});
