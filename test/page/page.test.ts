import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ended, start } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import { eventually, go, pagePath, phone, projector, waitForStep, withBrowser } from "./browser.js";

const html = readFileSync(pagePath, "utf8");
/** In the quick tier the others are opened at both sizes by accessibility.test.ts. */
const views = sized({
  quick: ["tensor?step=2", "talk?scene=9"],
  full: [
    "tensor?step=2",
    "weight?steps=100",
    "block",
    "learn",
    "data",
    "talk?scene=1&step=2",
    "talk?scene=9",
  ],
});

test("is under 400 kB compressed without gpu.js, which is there", () => {
  const gpuJs = /<script type="text\/plain" id="gpu-js">([^<]*)<\/script>/.exec(html)!;
  expect(gpuJs[1].length).toBeGreaterThan(100_000);
  expect(gzipSync(html.replace(gpuJs[0], "")).length).toBeLessThan(400_000);
});

test("has every text that its script reads before it, since a view is drawn as soon as the script is read", () => {
  const main = html.lastIndexOf("<script>");
  for (const id of ["worker-script", "gpu-js", "licences", "learn-base"]) {
    const at = html.indexOf(`<script type="text/plain" id="${id}">`);
    expect(at, id).toBeGreaterThan(0);
    expect(at, id).toBeLessThan(main);
  }
});

test("refers to nothing outside", () => {
  const own = html.replace(/<script[^>]*>[\s\S]*?<\/script>/g, "");
  expect(own.match(/(src|href)="(?!data:)[^"]*"/g)).toBeNull();
  expect(own).toContain("default-src 'none'");
});

describeNeeding(requirements.chromium, "the page", () => {
  const { open } = withBrowser();

  test.each(views)("opens from disk, and fits whatever size it gets: %s", async (view) => {
    const page = await open(`#${view}`);
    await page.locator("h1").waitFor();
    expect(await page.title()).toMatch(/precision-lens/);
    if (view.includes("step=2"))
      await page
        .getByText(/after 2 steps/i)
        .first()
        .waitFor();
    for (const viewport of [phone, projector, { width: 1920, height: 1080 }]) {
      await page.setViewportSize(viewport);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    }
  });

  test("opens from serve", async () => {
    const server = start(["serve"]);
    const done = ended(server);
    const address = await new Promise<string>((resolve) => server.stdout!.once("data", resolve));
    const page = await open("#tensor?step=1", {}, address.trim());
    await waitForStep(page, 1);
    server.kill("SIGTERM");
    expect(await done).toEqual({ status: 143, stdout: address, stderr: "" });
  });

  test("says what it is about before anything else is done", async () => {
    const page = await open("", { reducedMotion: "no-preference" });
    const title = page.locator("h1");
    await eventually(() => title.textContent()).toMatch(
      /weights are unchanged\. In fp32, .*The updates were there all along: bf16 rounded/,
    );
    await page.getByRole("button", { name: "Pause" }).click();
  });

  test("has a light and a dark side, and a button between them", async () => {
    const ground = "getComputedStyle(document.documentElement).backgroundColor";
    const page = await open("#weight", { colorScheme: "dark" });
    const [dark, light] = ["rgb(17, 21, 27)", "rgb(255, 255, 255)"];
    await eventually(() => page.evaluate(ground)).toBe(dark);
    await page.getByRole("button", { name: "Light" }).click();
    await eventually(() => page.evaluate(ground)).toBe(light);
    await page.reload();
    await eventually(() => page.evaluate(ground)).toBe(light);
  });

  const misread: readonly [fragment: string, told: [name: string, text: string], values: string][] = [
    ["tensor?lr=abc&step=1", ["lr", "abc"], "a number from 1e-12 to 1"],
    ["tensor?lr=0&step=1", ["lr", "0"], "a number from 1e-12 to 1"],
    ["tensor?lr=-1&step=1", ["lr", "-1"], "a number from 1e-12 to 1"],
    ["tensor?lr=1e400&step=1", ["lr", "1e400"], "a number from 1e-12 to 1"],
    ["tensor?step=1.5", ["step", "1.5"], "a whole number from 0 to 100000"],
    ["weight?steps=1.5", ["steps", "1.5"], "a whole number from 0 to 20000"],
    ["data?engine=cuda", ["engine", "cuda"], "one of auto, wasm, gpu, reference"],
    ["talk?scene=10&step=1", ["scene", "10"], "a whole number from 1 to 9"],
  ];
  test("says what of an address it does not take, of one that it is opened at and of others", async () => {
    const page = await open(`#${misread[0][0]}`);
    for (const [fragment, [name, text], values] of misread) {
      await go(page, fragment);
      await page
        .getByRole("alert")
        .filter({ hasText: `${name} is ${JSON.stringify(text)}, not ${values}:` })
        .waitFor();
    }
  });

  test("goes from view to view, and back", async () => {
    const page = await open("#weight");
    await page.getByRole("link", { name: "Your data" }).click();
    await page.getByRole("heading", { name: /your run/ }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Nothing happens: the update is lost." }).waitFor();
    const link = page.getByRole("link", { name: "One weight" });
    await eventually(() => link.getAttribute("aria-current")).toBe("page");
  });
});
