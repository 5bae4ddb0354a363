import { expect, test } from "vitest";
import { describeNeeding, requirements } from "../support/requirements.js";
import { phone, projector, withBrowser } from "./browser.js";

const views = [
  ...["tensor?step=2", "weight?steps=100", "data", "talk?scene=1&step=2", "talk?scene=7", "talk?scene=8"],
  ...["talk?scene=2&step=1", "talk?scene=3", "talk?scene=5&step=1", "talk?scene=6&step=1"],
];

describeNeeding(requirements.chromium, "the page", () => {
  const { open } = withBrowser();

  test.each([
    ["projector", projector],
    ["phone", phone],
    ["large", { width: 1920, height: 1080 }],
  ])("fits, opened on a %s", async (_, viewport) => {
    for (const view of views) {
      const page = await open(`#${view}`, { viewport });
      await page.locator("h1").waitFor();
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      expect([view, wide]).toEqual([view, viewport.width]);
      // Nine pages at once would all train and draw.
      await page.context().close();
    }
  });
});
