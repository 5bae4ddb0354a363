import { expect, test } from "vitest";
import { sceneNames, scenes } from "../../../src/page/talk/scenes.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { eventually, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "the talk", () => {
  const { open } = withBrowser();

  test("runs through by keyboard, forth and back", async () => {
    const page = await open("#talk?scene=1&step=2");
    const title = page.locator("h1");
    for (const [i, name] of sceneNames.entries()) {
      await eventually(() => title.textContent()).toBe(scenes[name].title);
      expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
      await eventually(() =>
        page.getByRole("button", { name: `Scene ${i + 1}:` }).getAttribute("aria-current"),
      ).toBe("step");
      await page.keyboard.press(i % 2 === 0 ? "ArrowRight" : "PageDown");
    }
    // The last one is the last.
    expect(await title.textContent()).toBe(scenes.yours.title);
    await page.keyboard.press("ArrowLeft");
    await eventually(() => title.textContent()).toBe(scenes.kept.title);
    await eventually(() => page.url()).toContain("scene=6");
    await page.keyboard.press("Home");
    await eventually(() => title.textContent()).toBe(scenes.apparent.title);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "A tensor" }).waitFor();
  });

  test("every scene is live: it shows numbers that were counted there", async () => {
    const page = await open("#talk?scene=2&step=20");
    const share = async (of: string) =>
      Number.parseFloat((await page.locator(`[data-fact=unchanged-${of}]`).textContent())!.replace("<", ""));
    await page.getByText("after 20 steps").first().waitFor();
    expect(await share("bf16")).toBeGreaterThan(95);
    expect(await share("fp32")).toBeLessThan(1);

    await page.keyboard.press("ArrowRight");
    await page.getByText("gap 0.00012207").waitFor();
    await page.keyboard.press("ArrowRight");
    await eventually(() => page.locator("[data-fact=pushes]").textContent()).toBe("1000");
    await page.getByText("the weight is still 0.0200195").waitFor();
    await page.keyboard.press("ArrowRight");
    await page.getByText(/9\d\.\d% lost/).waitFor();
  });

  test("a link shows a scene as it was", async () => {
    const page = await open("#talk?scene=6&step=20");
    await page.locator(".many[data-step='20']").waitFor();
    const unchanged = (storage: string) =>
      page
        .locator(`[data-storage="${storage}"] p b`)
        .first()
        .textContent()
        .then((text) => Number.parseFloat(text!));
    expect(await unchanged("in place")).toBeGreaterThan(97);
    expect(await unchanged("stochastic")).toBeLessThan(await unchanged("in place"));
    await eventually(() => page.url()).toContain("scene=6&step=20");
  });

  test("plays by itself, pauses and goes on", async () => {
    const page = await open("#talk?scene=1", { reducedMotion: "no-preference" });
    await page.getByText(/after \d\d steps/).waitFor();
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Play" }).waitFor();
    await eventually(() => page.url()).toMatch(/step=\d+/);
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.keyboard.press("p");
  });
});
