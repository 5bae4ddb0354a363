import { expect, test } from "vitest";
import { parsePlace, readState } from "../../../src/page/location.js";
import { CpuRun } from "../../../src/page/tensor/cpu-run.js";
import { runSettings, tensorFields } from "../../../src/page/tensor/presets.js";
import { chromiumFlags } from "../../support/gpu/runners.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { countOf, waitForStep, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "a tensor", () => {
  const { open } = withBrowser(chromiumFlags);

  test("counts again by the GPU", async () => {
    const page = await open("#tensor?step=2");
    await waitForStep(page, 2);
    await page.getByRole("button", { name: "GPU", exact: true }).click();
    await page.locator(".recount output", { hasText: /(gpu\.js|WebGPU).*: every count the same/ }).waitFor();
  });

  test("of a million weights stays on the GPU, and the CPU counts the same", async () => {
    const page = await open("#tensor?side=1024&step=2&preset=sft&lr=0.00001");
    await waitForStep(page, 2);
    expect(await page.locator(".engine").textContent()).toMatch(/webgpu engine/);
    const place = parsePlace("#tensor?side=1024&preset=sft&lr=0.00001");
    const run = await CpuRun.open(runSettings(readState(tensorFields, place.parameters)));
    await run.advance(2);
    const [{ totals, end }] = (await run.counts()).run;
    expect(await countOf(page, "[data-class=moved]")).toBe(totals.moved);
    expect(await countOf(page, "[data-class=lost]")).toBe(totals.lost);
    expect(await countOf(page, "[data-fact=unchanged]")).toBe(end.unchanged);
    expect(await page.locator("canvas").first().getAttribute("width")).toBe("1024");
  });
});
