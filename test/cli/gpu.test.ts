import { expect, test } from "vitest";
import { run, runProcess } from "../support/cli.js";
import { recorded } from "../support/recorded.js";
import { describeNeeding, requirements, swiftShader } from "../support/requirements.js";
import { expectValid } from "../support/schemas.js";
import { fullTier } from "../support/tier.js";

/** Dawn finds its driver in the environment of its process, and only there. */
const withDriver = { VK_ICD_FILENAMES: swiftShader };
/** A driver that is none: Dawn is asked, and finds nothing. */
const withoutDriver = { VK_ICD_FILENAMES: "/nowhere.json" };

// With SwiftShader a process takes ten seconds of a core; test/engine/gpu has the engine in this one.
if (fullTier)
  describeNeeding(requirements.vulkan, "run --engine gpu", () => {
    const args = [
      ...["run", recorded("sft/late"), "--format", "bf16,e4m3fn", "--scheme", "in-place,master"],
      ...["--rounding", "nearest-even,to-odd", "--json", "-"],
    ];

    test("gives the counts of the reference, and names its device", async () => {
      const ran = await runProcess([...args, "--engine", "gpu"], withDriver);
      expect({ ...ran, stdout: "" }).toEqual({ status: 0, stdout: "", stderr: "" });
      const result = JSON.parse(ran.stdout);
      expectValid("result", result);
      expect(result.engine).toMatchObject({ name: "gpu", selfCheck: { failed: 0 } });
      expect(result.engine.device).toMatch(/swiftshader.*webgpu through gpu\.js/i);
      expect(result.engine.handedOver).toBeUndefined();
      const reference = JSON.parse((await run([...args, "--engine", "reference"])).stdout);
      expect(result.cases).toEqual(reference.cases);
    });

    test("doctor shows it", async () => {
      const { engines } = JSON.parse((await runProcess(["doctor", "--json", "-"], withDriver)).stdout);
      const gpu = engines.find(({ name }: { name: string }) => name === "gpu");
      expect(gpu).toMatchObject({ unavailable: null, selfCheck: { failed: 0 } });
      expect(gpu.selfCheck.passed).toBeGreaterThan(40);
    });
  });

test("--engine gpu refuses recipes in one sentence, before it looks for a device", async () => {
  const args = ["run", recorded("rlvr/early"), "--optimizer", "adamw", "--engine", "gpu"];
  expect(await run(args)).toEqual({
    status: 2,
    stdout: "",
    stderr:
      "precision-lens: engine gpu: the square roots and divisions of an optimizer are not exact on GPUs\n",
  });
});

test("without a GPU, --engine gpu is one sentence and exit code 2, and doctor plain words and 0", async () => {
  const ran = await runProcess(["run", recorded("sft/late"), "--engine", "gpu"], withoutDriver);
  expect(ran).toMatchObject({ status: 2, stdout: "" });
  expect(ran.stderr.trimEnd().split("\n").at(-1)).toMatch(
    /^precision-lens: engine gpu: no GPU to be had: webgpu: /,
  );
  const doctor = await runProcess(["doctor"], withoutDriver);
  expect(doctor.status).toBe(0);
  expect(doctor.stdout).toMatch(/^gpu +GPU +none$/m);
  expect(doctor.stdout).toMatch(/^gpu: no GPU to be had: /m);
  expect(doctor.stdout).toMatch(/^--engine auto takes (wasm|reference)\.$/m);
});
