import { expect, test } from "vitest";
import { describeNeeding, requirements } from "../support/requirements.js";
import { phone, projector, withBrowser } from "./browser.js";

const views = [
  ...[
    "tensor?step=2",
    "weight?steps=100",
    "block",
    "data",
    "talk?scene=1&step=2",
    "talk?scene=7",
    "talk?scene=8",
  ],
  ...["talk?scene=9", "talk?scene=2&step=1", "talk?scene=3", "talk?scene=5&step=1", "talk?scene=6&step=1"],
];
const sizes = { projector, phone, large: { width: 1920, height: 1080 } };

describeNeeding(requirements.chromium, "the page", () => {
  const { open } = withBrowser();

  test.each(
    Object.entries(sizes).flatMap(([name, viewport]) => views.map((view) => [view, name, viewport] as const)),
  )("%s fits, opened on a %s", async (view, _, viewport) => {
    const page = await open(`#${view}`, { viewport });
    await page.locator("h1").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
  });
});
