import { expect, test } from "vitest";
import { run, runProcess } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { describeNeeding, requirements, vulkanDriver } from "../support/requirements.js";
import { expectValid } from "../support/schemas.js";
import { fullTier } from "../support/tier.js";

/** Dawn finds its driver in the environment of its process, and only there. */
const withDriver = { VK_ICD_FILENAMES: vulkanDriver };
/** A driver that is none: Dawn is asked, and finds nothing. */
const withoutDriver = { VK_ICD_FILENAMES: "/nowhere.json" };

// With SwiftShader a process takes ten seconds of a core; test/engine has the engines in this one.
if (fullTier)
  describeNeeding(requirements.vulkan, "run --engine gpu", () => {
    const args = [
      ...["run", recorded("sft/late"), "--format", "bf16,e4m3fn", "--scheme", "in-place,master"],
      ...["--rounding", "nearest-even,to-odd", "--json", "-"],
    ];

    test.each([
      ["gpu", "webgpu", /, by WebGPU, integers$/],
      ["gpujs", "gpujs", /, by webgpu through gpu\.js/],
    ])("--engine %s gives the counts of the reference by %s", async (asked, name, device) => {
      const ran = await runProcess([...args, "--engine", asked], withDriver);
      expect({ ...ran, stdout: "" }).toEqual({ status: 0, stdout: "", stderr: "" });
      const result = JSON.parse(ran.stdout);
      expectValid("result", result);
      expect(result.engine).toMatchObject({ name, selfCheck: { failed: 0 } });
      expect(result.engine.device).toMatch(device);
      expect(result.engine.handedOver).toBeUndefined();
      const reference = JSON.parse((await run([...args, "--engine", "reference"])).stdout);
      expect(result.cases).toEqual(reference.cases);
    });

    test("--engine gpu gives the counts of the reference of gradients by recipes", async () => {
      const recipes = ["--optimizer", "adamw", "--recipe", "torch-2.13-cuda-foreach", "--json", "-"];
      const ran = ["run", recorded("rlvr/early"), ...recipes];
      const result = JSON.parse((await runProcess([...ran, "--engine", "gpu"], withDriver)).stdout);
      expect(result.engine).toMatchObject({ name: "webgpu", selfCheck: { failed: 0 } });
      const reference = JSON.parse((await run([...ran, "--engine", "reference"])).stdout);
      expect(result.cases).toEqual(reference.cases);
    });

    test("doctor shows both ways to it, and whether their driver computes on the CPU", async () => {
      const { engines } = JSON.parse((await runProcess(["doctor", "--json", "-"], withDriver)).stdout);
      const gpus = engines.filter(({ name }: { name: string }) => name === "webgpu" || name === "gpujs");
      expect(gpus).toHaveLength(2);
      for (const gpu of gpus) {
        expect(gpu).toMatchObject({ unavailable: null, selfCheck: { failed: 0 } });
        expect(gpu.fallback).toBe(gpu.device.startsWith("swiftshader") || gpu.device.startsWith("llvmpipe"));
        expect(gpu.selfCheck.passed).toBeGreaterThan(40);
      }
    });
  });

test("of recipes, --engine gpu is webgpu or one sentence: gpujs does not take them", async () => {
  const args = ["run", recorded("rlvr/early"), "--optimizer", "adamw", "--engine", "gpu"];
  const { stderr, ...ran } = await runProcess(args, withoutDriver);
  expect(ran).toEqual({ status: 2, stdout: "" });
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
    /^precision-lens: engine gpu: engine webgpu: no WebGPU device: .*; engine gpujs: the square roots and divisions of an optimizer are not exact on GPUs$/,
  );
});

test("without a GPU, --engine gpu is one sentence and exit code 2", async () => {
  const ran = await runProcess(["run", recorded("sft/late"), "--engine", "gpu"], withoutDriver);
  expect(ran).toMatchObject({ status: 2, stdout: "" });
  expect(ran.stderr.trimEnd().split("\n").at(-1)).toMatch(
    /^precision-lens: engine gpu: engine webgpu: no WebGPU device: .*; engine gpujs: no GPU available: webgpu: /,
  );
});

// It proves every engine anew, three seconds of a core; doctor.test.ts calls it in this process.
const testFully = fullTier ? test : () => {};
testFully("without a GPU, doctor has plain words and 0", async () => {
  const doctor = await runProcess(["doctor"], withoutDriver);
  expect(doctor.status).toBe(0);
  expect(doctor.stdout).toMatch(/^webgpu +GPU +none$/m);
  expect(doctor.stdout).toMatch(/^gpujs +GPU +none$/m);
  expect(doctor.stdout).toMatch(/^webgpu: no WebGPU device: /m);
  expect(doctor.stdout).toMatch(/^gpujs: no GPU available: /m);
  expect(doctor.stdout).toMatch(/^--engine auto takes (wasm|reference)\.$/m);
});
