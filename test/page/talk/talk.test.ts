import { expect, test } from "vitest";
import { readState } from "../../../src/page/location.js";
import { sceneNames, scenes } from "../../../src/page/talk/scenes.js";
import { talkFields } from "../../../src/page/talk/state.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { fullTier, sized } from "../../support/tier.js";
import { eventually, go, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "the talk", () => {
  const { open } = withBrowser();

  test("runs through by keyboard, forth and back", async () => {
    const page = await open("#talk?scene=1&step=2");
    const title = page.locator("h1");
    for (const [i, name] of sceneNames.entries()) {
      await eventually(() => title.textContent()).toBe(scenes[name].title);
      await eventually(() => page.evaluate("document.activeElement.tagName")).toBe("H1");
      await eventually(() =>
        page.getByRole("button", { name: `Scene ${i + 1}:` }).getAttribute("aria-current"),
      ).toBe("step");
      await page.keyboard.press(i % 2 === 0 ? "ArrowRight" : "PageDown");
    }
    // The last one is the last.
    expect(await title.textContent()).toBe(scenes.yours.title);
    await page.keyboard.press("ArrowLeft");
    await eventually(() => title.textContent()).toBe(scenes.learn.title);
    await eventually(() => page.url()).toContain("scene=8");
    await page.keyboard.press("Home");
    await eventually(() => title.textContent()).toBe(scenes.apparent.title);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "A tensor" }).waitFor();
  });

  test("every scene is live: it shows numbers that were counted there", async () => {
    const page = await open("#talk?scene=2&step=20");
    const share = async (storage: string) =>
      Number.parseFloat(
        (await page.locator(`[data-fact=unchanged-${storage}]`).textContent())!.replace("<", ""),
      );
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
        .locator(`[data-storage="${storage}"] [data-measure=unchanged]`)
        .textContent()
        .then((text) => Number.parseFloat(text!));
    expect(await unchanged("in-place")).toBeGreaterThan(97);
    expect(await unchanged("stochastic")).toBeLessThan(await unchanged("in-place"));
    await eventually(() => page.url()).toContain("scene=6&step=20");
    const noise = async (storage: string) =>
      Number((await page.locator(`[data-storage="${storage}"] [data-measure=noise]`).textContent())!);
    expect(await noise("stochastic")).toBeGreaterThan(1);
    expect(await noise("fp32 master")).toBe(0);
    expect(await page.locator(".text").textContent()).toMatch(/retained.*visible.*noise/);
  });

  test("a step after the last one is the last one", async () => {
    const step = (text: string) => readState(talkFields, new Map([["step", text]])).step;
    expect([step("99999"), step("120"), step("-5")]).toEqual([99999, 120, 0]);
    const page = await open("#talk?scene=2&step=99999", { reducedMotion: "no-preference" });
    await page.getByRole("button", { name: "Play" }).waitFor();
    await page.getByText("after 300 steps").first().waitFor();
  });

  test("begins with what checkpoints show: a master's view, and in-place", async () => {
    const page = await open("#talk?scene=1&step=40");
    await page.getByText("after 40 steps").first().waitFor();
    const share = async (storage: string) =>
      Number.parseFloat((await page.locator(`[data-fact=unchanged-${storage}]`).textContent())!);
    // By numpy, noise gradients: 85.4 % of a master's view after 300 steps, 98.7 % in-place.
    expect(await share("view")).toBeGreaterThan(85.4);
    expect(await share("view")).toBeLessThan(97);
    expect(await share("in-place")).toBeGreaterThan(98.5);
  });

  test("a figure goes to its scene, B blanks the screen, Esc brings the talk back before it leaves", async () => {
    const page = await open("#talk?scene=1&step=2");
    // Keys are listened to when the first scene is drawn.
    await page.getByText("after 2 steps").first().waitFor();
    await page.keyboard.press("4");
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.push.title);
    await page.keyboard.press("0");
    await page.keyboard.press("b");
    await page.locator(".blank").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".blank").waitFor({ state: "detached" });
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.push.title);
    await page.keyboard.press("B");
    await page.locator(".blank").waitFor();
    await page.keyboard.press("ArrowRight");
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.lost.title);
    await eventually(() => page.locator(".blank").count()).toBe(0);
  });

  test("the speaker's window has the notes of the scene and the title of the next, and takes keys", async () => {
    const page = await open("#talk?scene=3");
    await page.getByText("gap 0.00012207").waitFor();
    const opened = page.waitForEvent("popup");
    await page.keyboard.press("n");
    const notes = await opened;
    await notes.getByText(scenes.gap.notes[0]).waitFor();
    await notes.getByText(`Next: ${scenes.push.title}`).waitFor();
    await notes.keyboard.press("ArrowRight");
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.push.title);
    await notes.getByText(scenes.push.notes[0]).waitFor();
    await eventually(() => notes.locator("#clock").textContent()).toMatch(/^0:\d\d$/);
    await page.keyboard.press("Escape");
    await eventually(() => notes.isClosed()).toBe(true);
  });

  test("no part of a scene lies on another, on a projector", async () => {
    const page = await open("#talk?scene=1&step=2");
    for (const [i, name] of sceneNames.entries()) {
      await go(page, `talk?scene=${i + 1}&step=2`);
      await eventually(() => page.locator("h1").textContent()).toBe(scenes[name].title);
      const edges = await page.evaluate<number[]>(
        `[...document.querySelectorAll(".talk > :is(h1, .scene, .text, .talk-bar)")].flatMap((part) => {
          const { top, bottom } = part.getBoundingClientRect();
          return [top, bottom];
        })`,
      );
      expect([name, edges.length]).toEqual([name, 8]);
      expect([name, ...edges]).toEqual([name, ...edges.toSorted((a, b) => a - b)]);
      expect([name, await page.evaluate("document.documentElement.scrollHeight")]).toEqual([name, 720]);
    }
  });

  test("one update of a block changes its neighbours, and dragged back it does not", async () => {
    const page = await open(`#talk?scene=${sceneNames.indexOf("block") + 1}`);
    await eventually(() => page.locator("[data-fact=changed]").textContent()).toBe("21");
    await page.getByRole("slider").focus();
    for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowDown");
    await eventually(() => page.locator("[data-fact=changed]").textContent()).toBe("0");
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.block.title);
  });

  test("prints as a page for each scene", async () => {
    const page = await open("#talk?layout=pages");
    await eventually(() => page.locator("section.page h2").allTextContents()).toEqual(
      sceneNames.map((name) => scenes[name].title),
    );
    // What is not computed yet is no black square: a context without alpha, which is black, would have been made.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))");
    const last = ".page[data-scene=kept] canvas";
    const hasAlpha = `document.querySelector("${last}").getContext("2d").getContextAttributes().alpha`;
    expect(await page.evaluate(hasAlpha)).toBe(true);
    // Every run to its end.
    if (!fullTier) return;
    await page.locator(".talk-pages[data-ready=true]").waitFor({ timeout: 240_000 });
    await eventually(() => page.getByText("after 1000 steps").count()).toBe(2);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(sceneNames.length);
    await page.getByRole("button", { name: "Back to the talk" }).click();
    await eventually(() => page.locator("h1").textContent()).toBe(scenes.apparent.title);
  });

  test("ends on two models that learn: what is lost is not learned", async () => {
    const page = await open("#talk?scene=8", { reducedMotion: "no-preference" });
    const share = async (learner: string) =>
      Number.parseInt((await page.locator(`[data-learner=${learner}] .figure`).textContent())!, 10);
    const step = async () => Number(await page.locator(".learn-scene").getAttribute("data-step"));
    await eventually(step).toBeGreaterThan(sized({ quick: 20, full: 299 }));
    await page.getByText(/of its updates that were not zero, 9\d\.\d% lost/).waitFor();
    await page.getByText(/of its updates that were not zero, 9\d\.\d% kept/).waitFor();
    expect(await share("master")).toBeGreaterThanOrEqual(await share("chosen"));
    if (!fullTier) return;
    // Of all sums, as `learn` at 1e-5 tells.
    await page.locator(".learn-scene[data-ready=true]").waitFor();
    expect(await share("chosen")).toBeLessThan(72);
    expect(await share("master")).toBeGreaterThan(82);
    // The figures are of all sums then: no other share of the same model stands beside them.
    expect(await page.locator(".rewards .end").count()).toBe(0);
  });

  test("plays by itself, pauses and goes on", async () => {
    const page = await open("#talk?scene=1", { reducedMotion: "no-preference" });
    await page
      .getByText(/after \d[\d,]+ steps/)
      .first()
      .waitFor();
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Play" }).waitFor();
    await eventually(() => page.url()).toMatch(/step=\d+/);
    await page.keyboard.press("p");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.keyboard.press("p");
  });
});
