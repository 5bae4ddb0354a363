import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/engine.js";
import { type Device, type DeviceArray, openDevice } from "../../../src/engine/gpujs/device.js";
import { gpujsEngine } from "../../../src/engine/gpujs/gpujs.js";
import type { Kernel } from "../../../src/engine/gpujs/kernels/kernel.js";
import { reference } from "../../../src/engine/reference/reference.js";
import { selectEngine } from "../../../src/engine/select.js";
import { hardJob } from "../../../src/engine/twin-check.js";
import { formats } from "../../../src/format/registry.js";
import { recipeSettings } from "../../../src/update/optimizer.js";
import { type UpdateOptions, updateSettings } from "../../../src/update/settings.js";
import { prepareDawn } from "../../support/dawn.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { sized } from "../../support/tier.js";
import { gaussianRun, tensorOf } from "../../support/values.js";

/** A device whose kernels are not those that were asked for. */
function altered(device: Device, from: string, to: string): Device {
  let found = false;
  const alter = ({ name, source, functions }: Kernel): Kernel => {
    const change = (text: string) => {
      found ||= text.includes(from);
      return text.replaceAll(from, to);
    };
    return {
      name,
      source: change(source),
      functions: functions.map((helper) => ({ ...helper, source: change(helper.source) })),
    };
  };
  return Object.assign(Object.create(device) as Device, {
    compute: (kernel: Kernel, ...rest: unknown[]) =>
      (device.compute as (...args: unknown[]) => unknown)(alter(kernel), ...rest),
    fetch: (kernel: Kernel, ...rest: unknown[]) =>
      (device.fetch as (...args: unknown[]) => unknown)(alter(kernel), ...rest),
    upload: (...args: Parameters<Device["upload"]>) => device.upload(...args),
    download: (...args: Parameters<Device["download"]>) => device.download(...args),
    release: (...arrays: readonly DeviceArray[]) => device.release(...arrays),
    guard: (...args: Parameters<Device["guard"]>) => device.guard(...args),
    destroy: async () => {
      expect(found, `no kernel has ${from}`).toBe(true);
    },
  });
}

/** A wrong kernel: what is wrong, a case that uses it, and what to replace in its text. */
type WrongKernel = readonly [what: string, options: UpdateOptions, from: string, to: string];

/** One each of the kernels that round, add and count. */
const tellingKernels: readonly WrongKernel[] = [
  ["a tie that goes up", { format: "bf16" }, "rest === 0.5 && odd === 1", "rest === 0.5"],
  ["a sum without its sticky bit", { format: "bf16" }, "sticky > 0", "sticky > 1e9"],
  [
    "a count that forgets one class",
    { format: "bf16", scheme: "master" },
    "keptAndGone += 1",
    "keptAndGone += 0",
  ],
];

const otherKernels: readonly WrongKernel[] = [
  [
    "a rotation by one bit more",
    { format: "bf16", rounding: "stochastic" },
    "* 8192 + lowTops",
    "* 16384 + lowTops",
  ],
  ["a carrier that is not compensated", { format: "bf16", scheme: "kahan" }, "negate(next)", "next"],
  ["a tie that goes down", { format: "bf16" }, "(rest === 0.5 && odd === 1)", "rest > 1"],
  ["ties away that go to even", { format: "fp16", rounding: "nearest-away" }, "rest >= 0.5", "rest > 0.5"],
  ["an exponent one too high", { format: "bf16" }, "return exponent;", "return exponent + 1;"],
  [
    "subnormals with the gap of normals",
    { format: "e4m3fn" },
    "if (exponent < (-6))",
    "if (exponent < (-60))",
  ],
  ["overflow that saturates", { format: "e4m3fn" }, "if (magnitude > 448)", "if (magnitude > 480)"],
  [
    "a random half that is left out",
    { format: "e4m3fn", rounding: "stochastic" },
    "fractionLow + low >=",
    "fractionLow >=",
  ],
  ["a sum that rounds ties up", { format: "bf16" }, "low === 4 && odd === 1", "low === 4"],
  ["a histogram one bin off", { format: "bf16" }, "- ulp - (-64)", "- ulp - (-65)"],
  ["the ulp rule at equality", { format: "bf16" }, "Math.abs(u) < Math.abs(w)", "Math.abs(u) <= Math.abs(w)"],
];

describeNeeding(requirements.vulkan, "the gpujs engine refuses", () => {
  let device: Device;
  const withDevice = (engine: Engine): ReadonlyMap<string, Engine> => new Map([["gpujs", engine]]);
  const jobOf = (...cases: UpdateOptions[]) => {
    const { weights, updates } = gaussianRun(5, 10_000, 2);
    return {
      tensors: [tensorOf("w", weights, ...updates)],
      stepNumbers: [0, 1],
      cases: cases.map(updateSettings),
    };
  };

  beforeAll(async () => {
    prepareDawn();
    device = await openDevice("webgpu");
  });
  afterAll(() => device.destroy());

  it.each(sized({ quick: tellingKernels, full: [...tellingKernels, ...otherKernels] }))(
    "%s",
    async (_, options, from, to) => {
      const engine = gpujsEngine(async () => altered(device, from, to));
      const { failed, firstFailure } = await engine.selfCheck([updateSettings(options)]);
      expect(failed).toBeGreaterThan(0);
      expect(firstFailure).toMatch(/"format":/);
      await expect(selectEngine("gpujs", jobOf(options), withDevice(engine))).rejects.toThrow(
        "fails its self-check on",
      );
      await engine.close?.();
    },
  );

  it("nothing where nothing is altered, and leaves none of the hard numbers to the reference", async () => {
    const engine = gpujsEngine(async () => device);
    for (const format of sized({ quick: ["bf16", "e4m3fn"], full: [...formats.keys()] })) {
      const cases = [updateSettings({ format, overflow: "saturate" })];
      let handedOver = -1;
      const observer = {
        handedOver: (weightSteps: number) => {
          handedOver = weightSteps;
        },
      };
      await engine.run({ ...hardJob(cases[0]), cases }, observer);
      expect(handedOver).toBe(0);
    }
    expect((await selectEngine("gpujs", jobOf({ format: "bf16" }), withDevice(engine))).engine).toBe(engine);
  });

  it("recipes and exact operations, by name", async () => {
    const engine = gpujsEngine(async () => device);
    const recipe = recipeSettings("adamw", "master", { lr: 1e-6, format: "bf16" });
    expect(engine.refuses?.([recipe])).toContain("not exact on GPUs");
    const job = jobOf({ format: "bf16", opmath: "exact" });
    await expect(selectEngine("gpujs", job, withDevice(engine))).rejects.toThrow(
      "engine gpujs: opmath exact needs more",
    );
    await expect(engine.run(job)).rejects.toThrow(RangeError);
  });

  it("a machine that has none, in one sentence", async () => {
    const engine = gpujsEngine(() => openDevice("webgl2"));
    expect(await engine.unavailable?.()).toBe("there is none outside of browsers");
    await expect(selectEngine("gpujs", undefined, withDevice(engine))).rejects.toThrow(
      "engine gpujs: there is none",
    );
  });

  it("to count on after the device had an error", async () => {
    const engine = gpujsEngine(async () => ({
      ...altered(device, "", ""),
      guard: async (work: () => Promise<void>) => {
        await work();
        throw new Error("the GPU failed (out-of-memory): no");
      },
    }));
    await expect(engine.run(jobOf({ format: "bf16" }))).rejects.toThrow("the GPU failed");
  });
});

describeNeeding(requirements.vulkan, "a device that is lost", () => {
  it("ends the run with an error", async () => {
    prepareDawn();
    const device = await openDevice("webgpu");
    const { weights, updates } = gaussianRun(6, 10_000, 3);
    const job = {
      tensors: [tensorOf("w", weights, ...updates)],
      stepNumbers: [0, 1, 2],
      cases: [updateSettings({ format: "bf16" })],
    };
    const engine = gpujsEngine(async () => device);
    expect(await engine.run(job)).toEqual(await reference.run(job));
    const lost = engine.run(job, { progress: (done) => void (done === 20_000 && device.lose?.()) });
    await expect(lost).rejects.toThrow(/lost|failed|destroyed/i);
    await engine.close?.();
  });
});
