import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { format } from "../../../src/format/registry.js";
import { walk } from "../../../src/page/weight/walk.js";
import { palettes } from "../../../src/report/charts/palette.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { eventually, go, phone, projector, withBrowser } from "../browser.js";

describeNeeding(requirements.chromium, "one weight", () => {
  const { open } = withBrowser();

  test("steps once, a thousand times, and back, in every way to store", async () => {
    const page = await open("#weight?steps=0");
    await page.getByRole("button", { name: "1000 steps" }).click();
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await eventually(() => page.url()).toMatch(/steps=1001$/);
    const expected = walk(
      { weight: 0.02, update: 1e-6, format: format("bf16"), rounding: "nearest-even", seed: 1 },
      1001,
    );
    for (const { name, counts, firstMoved } of expected) {
      const cells = await page.locator(`[data-track=${name}] td`).allTextContents();
      const first = cells.at(-1);
      const shown = cells.slice(1, -1);
      expect([name, first]).toEqual([name, firstMoved === null ? "never yet" : `step ${firstMoved}`]);
      expect(shown.map((text) => Number(text.replace(/by chance |,/g, "")))).toEqual([
        counts.moved,
        counts.kept,
        counts.lost,
      ]);
    }
    await page.getByRole("button", { name: "Reset" }).click();
    await eventually(() => page.url()).toMatch(/steps=0$/);
    await page.getByText("What 0 steps came to").waitFor({ state: "attached" });
  });

  test("plays a thousand steps at first sight, which are above the bits", async () => {
    const page = await open("#weight", { reducedMotion: "no-preference" });
    await eventually(() => page.locator("[data-track=in-place] td").allTextContents()).toEqual([
      "0.0200195",
      "0",
      "0",
      "1,000",
      "never yet",
    ]);
    expect(page.url()).not.toMatch(/steps=/);
    const { y } = (await page
      .getByRole("heading", { name: "The same update, again and again" })
      .boundingBox())!;
    expect(y).toBeLessThan(projector.height - 150);
  });

  test("says on a phone that the table goes on to the right, and nowhere else", async () => {
    const page = await open("#weight", { viewport: phone });
    await page.getByText("Scroll sideways for more columns").waitFor();
    await page.setViewportSize(projector);
    await page.getByText("Scroll sideways for more columns").waitFor({ state: "detached" });
  });

  /** The box of what is laid out: the line is, once more, when its width is known. */
  async function atRest(locator: Locator) {
    for (let last = ""; ; ) {
      await locator.page().evaluate("new Promise(requestAnimationFrame)");
      const box = (await locator.boundingBox())!;
      if (JSON.stringify(box) === last) return box;
      last = JSON.stringify(box);
    }
  }

  test("w and u are dragged", async () => {
    const page = await open("#weight");
    const drag = async (name: string, by: number) => {
      const knob = page.getByRole("slider", { name }).locator(".reach");
      const { x, y, width, height } = await atRest(knob);
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2 + by, y + height / 2, { steps: 5 });
      await page.mouse.up();
    };
    const line = await atRest(page.locator(".number-line svg"));
    const gap = line.width / 4;
    // Six tenths of a gap: it moves, by one.
    await drag("Update u", 0.6 * gap);
    await page.getByRole("heading", { name: "The stored weight moves to 0.0201416015625." }).waitFor();
    // Nearly half a gap: the line puts it on the tie.
    await drag("Update u", -0.108 * gap + 2);
    await page.getByText(/falls exactly half way between/).waitFor();
    const before = await page.getByLabel("Weight w", { exact: true }).first().inputValue();
    await drag("Weight w", gap);
    const after = await page.getByLabel("Weight w", { exact: true }).first().inputValue();
    expect(Number(after)).toBeGreaterThan(Number(before));
    expect(Number(after)).toBeCloseTo(0.02001953125 + 2 ** -13, 8);
  });

  test("the keyboard does what dragging does", async () => {
    const page = await open("#weight?w=1");
    await page.getByRole("slider", { name: "Weight w" }).press("ArrowLeft");
    await eventually(() => page.getByRole("textbox", { name: "Weight w" }).inputValue()).toBe(
      String(1 - 2 ** -8),
    );
    const update = page.getByRole("slider", { name: "Update u" });
    const before = Number(await update.getAttribute("aria-valuenow"));
    await update.press("ArrowRight");
    await eventually(() => update.getAttribute("aria-valuenow").then(Number)).toBeGreaterThan(before);
  });

  test("the number that is stored has every digit, in the notation of all others", async () => {
    const page = await open("#weight?w=0.02");
    const exactly = page.locator("[data-fact=exactly]");
    await eventually(() => exactly.textContent()).toBe("0.02001953125");
    expect(await page.getByRole("textbox", { name: "Update u" }).inputValue()).toBe("1e-6");
    await go(page, "weight?w=1e-9");
    await eventually(() => exactly.textContent()).toBe("9.968061931431293487548828125e-10");
    // The smallest number of fp32 on a phone.
    await page.setViewportSize(phone);
    await go(page, "weight?w=1e-45&format=fp32");
    await eventually(async () => (await exactly.textContent())!.length).toBeGreaterThan(100);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(phone.width);
  });

  test("bits are switches", async () => {
    const page = await open("#weight?w=1.5");
    await page.getByRole("button", { name: "sign bit: 0" }).click();
    const given = page.getByRole("textbox", { name: "Weight w" });
    await eventually(() => given.inputValue()).toBe("-1.5");
    await page.getByRole("button", { name: "significand bit 0: 0" }).click();
    await eventually(() => given.inputValue()).toBe(String(-1.5 - 2 ** -7));
    await page.getByRole("button", { name: "exponent bit 0: 1" }).click();
    await eventually(() => given.inputValue()).toBe(String((-1.5 - 2 ** -7) / 2));
  });

  test("shows edges, ties, zoom and what is not finite", async () => {
    const page = await open("#weight?w=1&u=0.00390625");
    await page.getByRole("heading", { name: "Nothing happens: the update is lost." }).waitFor();
    await page.getByText(/falls exactly half way between 1 and 1\.0078125; nearest-even gives 1\./).waitFor();
    await page.getByLabel("Rounding").selectOption("nearest-away");
    await page.getByRole("heading", { name: "The stored weight moves to 1.0078125." }).waitFor();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await eventually(() => page.url()).toContain("gaps=2");
    await page.getByRole("button", { name: "Fit" }).click();
    for (let i = 0; i < 8; i++) await page.getByRole("button", { name: "Zoom out" }).click();
    await page.getByText(/a tick every \d+ numbers/).waitFor();
    await page.getByRole("textbox", { name: "Weight w" }).fill("1e39");
    await page.getByRole("textbox", { name: "Weight w" }).press("Enter");
    await page.getByRole("heading", { name: "The weight is Inf, and stays so." }).waitFor();
  });

  // 1.5 is followed by 1.5078125; the sum lies a quarter of the way, or half of it.
  const spoken: readonly [rounding: string, u: number, said: string, why: RegExp][] = [
    [
      "nearest-even",
      2 ** -9,
      "Nothing happens: the update is lost.",
      /until w \+ u passes 1\.50390625, half way to/,
    ],
    [
      "nearest-away",
      2 ** -8,
      "The stored weight moves to 1.5078125.",
      /half way to 1\.5078125, which itself does not/,
    ],
    [
      "toward-zero",
      2 ** -8,
      "Nothing happens: the update is lost.",
      /until w \+ u reaches the next number, 1\.5078125/,
    ],
    [
      "toward-positive",
      2 ** -9,
      "The stored weight moves to 1.5078125.",
      /w stays only as long as w \+ u is w/,
    ],
    [
      "toward-negative",
      2 ** -8,
      "Nothing happens: the update is lost.",
      /reaches the next number, 1\.5078125/,
    ],
    ["to-odd", 2 ** -9, "The stored weight moves to 1.5078125.", /w stays only as long as w \+ u is w/],
    [
      "stochastic",
      2 ** -9,
      "The stored weight moves with probability 25%.",
      /1\.5 with probability 75%, 1\.5078125 with/,
    ],
  ];
  test("speaks of each rounding, and of no other", async () => {
    const page = await open("#weight");
    for (const [rounding, u, said, why] of spoken) {
      await go(page, `weight?w=1.5&u=${u}&rounding=${rounding}`);
      await page.locator(".reason").filter({ hasText: why }).waitFor();
      await page.getByRole("heading", { name: said }).waitFor();
      const reason = (await page.locator(".reason").textContent())!;
      if (!rounding.startsWith("nearest")) expect(reason, rounding).not.toMatch(/half/);
      if (rounding !== "stochastic") expect(reason, rounding).not.toMatch(/probability/);
    }
  });

  test("under stochastic rounding both ways are drawn, and neither as a loss", async () => {
    const page = await open("#weight?w=1.5&u=0.001953125&rounding=stochastic");
    await eventually(() => page.locator(".number-line .chance").allTextContents()).toEqual(["75%", "25%"]);
    expect(await page.locator(".number-line .lost").count()).toBe(0);
    expect(await page.locator("h1, .reason").allTextContents()).not.toContainEqual(
      expect.stringMatching(/lost/),
    );
    await page.getByLabel("Rounding").selectOption("nearest-even");
    await page.locator(".number-line .bin.lost").waitFor();
  });

  test("what becomes of an update is told in the colour of its class", async () => {
    const page = await open("#weight");
    for (const [className, fragment] of [
      ["moved", "w=1&u=0.0078125"],
      ["lost", "w=1&u=0.000001"],
      ["none", "w=1&u=0"],
      ["nonfinite", "w=3e38&u=1e38"],
    ] as const) {
      await go(page, `weight?${fragment}`);
      // Words and line agree.
      await page.locator(`.number-line .fall.${className}`).first().waitFor({ state: "attached" });
      const { text } = palettes.light.classes[className];
      const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
      await eventually(() => page.evaluate("getComputedStyle(document.querySelector('h1')).color")).toBe(
        `rgb(${r}, ${g}, ${b})`,
      );
    }
  });

  test("draws what is beyond the last number, and what is no number", async () => {
    const page = await open("#weight");
    for (const fragment of [
      "w=448&u=64&format=e4m3fn&steps=20",
      "w=1&u=NaN",
      "w=1&u=Infinity",
      "w=NaN",
      "w=3e38&u=1e38&steps=20",
    ]) {
      // From a place where all is finite.
      await go(page, "weight?w=1");
      await page.locator(".finding.nonfinite").waitFor({ state: "detached" });
      await go(page, `weight?${fragment}`);
      await page.locator(".finding.nonfinite").waitFor();
      expect(await page.locator("section.weight").innerHTML()).not.toMatch(
        / (x|y|x1|x2|cx|cy|d|width|aria-valuenow)="[^"]*(NaN|Infinity)/,
      );
    }
  });

  test("a wrong number is said to be one, beside its field, and the view stays as it was", async () => {
    const page = await open("#weight?w=1&u=0.5");
    for (const [name, good] of [
      ["Weight w", "0.25"],
      ["Update u", "0.75"],
    ]) {
      const field = page.getByRole("textbox", { name });
      const shown = await page.locator("h1").textContent();
      for (const text of ["abc", "", "1e400", "1,5"]) {
        await field.fill(text);
        await field.press("Enter");
        const said = `Expected a finite number, NaN or ±Infinity, found ${JSON.stringify(text)}.`;
        await page.getByRole("alert").filter({ hasText: said }).waitFor();
        expect(await field.getAttribute("aria-invalid")).toBe("true");
        const described = await field.getAttribute("aria-describedby");
        expect(await page.locator(`[id="${described}"]`).textContent()).toBe(said);
        expect(await field.inputValue()).toBe(text);
        expect(await page.locator("h1").textContent()).toBe(shown);
      }
      await field.fill(good);
      await field.press("Enter");
      await eventually(() => field.getAttribute("aria-invalid")).toBe("false");
      expect(await page.locator(".field-problem:visible").count()).toBe(0);
      await eventually(() => page.url()).toContain(`=${good}`);
    }
  });

  test("what is typed while the walk plays stays until it is committed or left", async () => {
    const page = await open("#weight", { reducedMotion: "no-preference" });
    const field = page.getByRole("textbox", { name: "Weight w" });
    const before = await field.inputValue();
    // Drawing the view again is what erased the text: typing in one field while the other changes does it for sure.
    await field.focus();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("0.12");
    await page.evaluate(`document.querySelector('[role=slider][aria-label="Weight w"]').dispatchEvent(
      new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }))`);
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    expect(await field.inputValue()).toBe("0.12");
    expect(before).not.toBe("0.12");
    await field.press("Enter");
    await eventually(() => page.url()).toContain("w=0.12");
  });

  test("a wrong number goes when the number is set elsewhere", async () => {
    const page = await open("#weight?w=NaN");
    const field = page.getByRole("textbox", { name: "Weight w" });
    await field.fill("abc");
    await field.press("Enter");
    await eventually(() => field.getAttribute("aria-invalid")).toBe("true");
    await page.getByRole("button", { name: "exponent bit 0: 1" }).click();
    await eventually(() => field.getAttribute("aria-invalid")).toBe("false");
  });
});
