/** One block in Chromium: the update is dragged, and what becomes of the others is said. */
import { expect, test } from "vitest";
import { leastThatMovesScale } from "../../../src/page/block/shared-step.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { countOf, eventually, phone, projector, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "the view of one block", () => {
  const { open } = withBrowser();
  const others = "[data-fact=others]";

  test("shows the step at once where nothing is to move; dragging the update takes it back", async () => {
    const page = await open("#block");
    await page.getByText("doubles the scale of its block").waitFor();
    await page.getByText("21 of the 31 other weights change").waitFor();
    expect(await countOf(page, others)).toBe(21);
    expect(await page.locator("[data-class=collateral]").count()).toBe(22);
    // Powers are raised, and not of characters that Inter lacks.
    expect(await page.locator("h1 sup").allTextContents()).toEqual(["−5", "−4"]);
    expect(await page.locator("[data-fact=scale]").textContent()).toBe("2−5 → 2−4");
    const knob = (await page.getByRole("slider").locator(".knob").boundingBox())!;
    const [x, y] = [knob.x + knob.width / 2, knob.y + knob.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y + 20);
    await page.getByText("the block keeps its scale").waitFor();
    expect(await countOf(page, others)).toBe(0);
    await page.mouse.move(x, y - 5);
    await page.mouse.up();
    await page.getByText("21 of the 31 other weights change").waitFor();
    await eventually(() => page.url()).toMatch(/#block\?u=0\.0\d+/);
    // The same by the keyboard.
    await page.getByRole("slider").focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowDown");
    await page.getByText("the block keeps its scale").waitFor();
  });

  test("another format goes where its scale moves, and is in the address", async () => {
    const page = await open("#block");
    await page.getByLabel("Format").selectOption("mxfp8-e4m3");
    await page.getByText("No other weight changes.").waitFor();
    await page.getByLabel("Format").selectOption("nvfp4");
    await page.getByText(/of the 15 other weights change/).waitFor();
    const u = Number((1.01 * leastThatMovesScale({ format: "nvfp4", scheme: "master" })).toPrecision(3));
    await eventually(() => page.url()).toContain(`#block?format=nvfp4&u=${u}`);
    await page.getByRole("button", { name: "No update" }).click();
    await page.getByText("The update is zero").waitFor();
  });

  test("fits a phone and a projector", async () => {
    const page = await open("#block");
    for (const viewport of [phone, projector]) {
      await page.setViewportSize(viewport);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    }
    expect(await page.evaluate("document.documentElement.scrollHeight")).toBe(projector.height);
  });
});
