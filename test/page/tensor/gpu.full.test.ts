import { test } from "vitest";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { waitForStep, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "a tensor", () => {
  const { open } = withBrowser(["--enable-unsafe-swiftshader", "--use-angle=swiftshader"]);

  test("counts again by the GPU", async () => {
    const page = await open("#tensor?step=2");
    await waitForStep(page, 2);
    await page.getByRole("button", { name: "GPU", exact: true }).click();
    await page.locator(".recount output", { hasText: /(gpu\.js|WebGPU).*: every count the same/ }).waitFor();
  });
});
