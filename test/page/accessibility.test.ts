import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { type SceneName, sceneNames } from "../../src/page/talk/scenes.js";
import { recorded } from "../support/recorded.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { fullTier, sized } from "../support/tier.js";
import { phone, projector, waitForStep, withBrowser } from "./browser.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds on the page as it is. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

const scene = (name: SceneName) => `talk?scene=${sceneNames.indexOf(name) + 1}&step=2`;
/** What the other places are made of too. */
const telling = [
  "tensor?step=3",
  "weight?steps=100",
  "block",
  "learn",
  "data",
  scene("apparent"),
  scene("kept"),
];
const every = [
  "tensor?step=3",
  "weight?steps=100",
  "weight?w=1&u=0.01&format=fp32",
  "block",
  "learn",
  "data",
  ...sceneNames.map(scene),
];

describeNeeding(requirements.chromium, "axe-core finds nothing", () => {
  const { open } = withBrowser();

  const looks: [colorScheme: "light" | "dark", viewport: typeof phone][] = [
    ["light", projector],
    ["dark", phone],
  ];
  if (fullTier) looks.push(["dark", projector], ["light", phone]);
  // One page for all looks: to open one takes longer than to look at it.
  test.each(sized({ quick: telling, full: every }))(
    "%s, light and dark, on a projector and a phone",
    async (fragment) => {
      const page = await open(`#${fragment}`);
      await page.locator("h1").waitFor();
      if (fragment.startsWith("tensor")) await waitForStep(page, 3);
      for (const [colorScheme, viewport] of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
        await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
        expect([colorScheme, viewport.width, await violations(page)]).toEqual([
          colorScheme,
          viewport.width,
          [],
        ]);
      }
    },
  );

  test("in what was found in files", async () => {
    const page = await open("#data");
    const run = recorded("rlvr/early");
    await page
      .locator("input[type=file]")
      .setInputFiles(["base", "updates"].map((name) => join(run, `${name}.safetensors`)));
    await page.locator("[data-kind=run]").waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test("and every control is reached by the keyboard", async () => {
    const page = await open("#weight");
    await page.locator("h1").waitFor();
    const controls = await page.locator("button:visible, a:visible, select, input, [role=slider]").count();
    const reached = new Set<string>();
    for (let i = 0; i < controls + 8; i++) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(
          "[...document.querySelectorAll('button, a, select, input, [role=slider]')].indexOf(document.activeElement).toString()",
        ),
      );
    }
    reached.delete("-1");
    expect(reached.size).toBe(controls);
  });
});
