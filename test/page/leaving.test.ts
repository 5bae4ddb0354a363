import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ended, start } from "../support/cli.js";
import { describeNeeding, requirements } from "../support/requirements.js";
import { sized } from "../support/tier.js";
import { eventually, settled, withBrowser } from "./browser.js";

/** A way to leave a view whose run has a frame on its way. */
interface Exit {
  readonly from: "talk" | "tensor";
  readonly leave: (page: Page) => Promise<void>;
  /** The view where it leads. */
  readonly to: "tensor" | "weight" | "data";
}

const tab = (page: Page, name: string) => page.getByRole("link", { name }).click();
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

const exits: Readonly<Record<string, Exit>> = {
  "Esc while the talk plays": { from: "talk", leave: (page) => page.keyboard.press("Escape"), to: "tensor" },
  "P, then Esc": {
    from: "talk",
    async leave(page) {
      await page.keyboard.press("P");
      await page.keyboard.press("Escape");
    },
    to: "tensor",
  },
  Leave: { from: "talk", leave: (page) => button(page, "Leave"), to: "tensor" },
  Back: { from: "talk", leave: async (page) => void (await page.goBack()), to: "data" },
  "a tab, right after Pause": {
    from: "tensor",
    async leave(page) {
      await button(page, "Pause");
      await tab(page, "One weight");
    },
    to: "weight",
  },
};

const rounds = sized({ quick: 1, full: 5 });
/** Over http there is another history; whether a view ends does not depend on where the page is from. */
const waysOverHttp = sized({ quick: ["Back"], full: Object.keys(exits) });

describeNeeding(requirements.chromium, "leaving a view", () => {
  const { open } = withBrowser();
  const moving = { reducedMotion: "no-preference" } as const;
  const fragmentOf = (page: Page) => page.evaluate<string>("location.hash");

  /** Enters a view that plays, leaves it, and looks where the page is, then and when all frames have come. */
  async function leaveOnce(page: Page, { from, leave, to }: Exit): Promise<void> {
    await page.evaluate("location.hash = '#data'");
    await page.getByRole("heading", { name: /your run/ }).waitFor();
    await page.evaluate(`location.hash = "#${from}"`);
    if (from === "talk")
      await page
        .getByText(/after [1-9]\d* steps/)
        .first()
        .waitFor();
    else
      await eventually(() => page.locator(".transport .step").textContent().then(Number)).toBeGreaterThan(2);
    await leave(page);
    for (const milliseconds of [0, 250]) {
      await page.waitForTimeout(milliseconds);
      await page.locator(`nav a[aria-current=page][href="#${to}"]`).waitFor();
      expect(await fragmentOf(page)).toMatch(new RegExp(`^#${to}\\b`));
    }
  }

  async function leaveByEachWay(page: Page, ways = Object.keys(exits)): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        await leaveOnce(page, exits[way]).catch((error) => {
          throw new Error(`round ${round + 1}, by ${way}: ${error.message}`);
        });
      }
    }
  }

  test("always works, from disk", async () => leaveByEachWay(await open("#data", moving)));

  describe("always works", () => {
    let server: ReturnType<typeof start>;
    let address: string;
    beforeAll(async () => {
      server = start(["serve"]);
      address = await new Promise<string>((resolve) => {
        server.stdout!.once("data", (text) => resolve(String(text).trim()));
      });
    });
    afterAll(async () => {
      const done = ended(server);
      server.kill("SIGTERM");
      await done;
    });

    test("over http", async () => leaveByEachWay(await open("#data", moving, address), waysOverHttp));
  });

  /** Begins to count what is written into the address; tells how often that was. */
  const countWrites = (page: Page) =>
    page.evaluate(`
      globalThis.writes = 0;
      const replace = history.replaceState.bind(history);
      history.replaceState = (...args) => { writes += 1; replace(...args); };`);
  const writes = (page: Page) => page.evaluate<number>("writes");

  test("the address is not written while a run plays or is paused", async () => {
    const page = await open("#talk", moving);
    await page
      .getByText(/after [1-9]\d* steps/)
      .first()
      .waitFor();
    await countWrites(page);
    await page.waitForTimeout(600);
    expect(await writes(page)).toBe(0);
    await button(page, "Pause");
    await settled(page);
    const told = await page
      .getByText(/after [1-9]\d* steps/)
      .first()
      .textContent();
    const [, step] = /after (\d+) steps/.exec(told!)!;
    await eventually(() => fragmentOf(page)).toMatch(new RegExp(`step=${step}(&|$)`));
    const before = await writes(page);
    expect(before).toBeLessThanOrEqual(2);
    await page.waitForTimeout(300);
    expect(await writes(page)).toBe(before);
  });

  test("a weight that is dragged writes no more often than browsers take, and its last place", async () => {
    const page = await open("#weight");
    const update = page.getByRole("slider", { name: "Update u" });
    await update.focus();
    await countWrites(page);
    const began = performance.now();
    for (let i = 0; i < sized({ quick: 30, full: 60 }); i++) await page.keyboard.press("ArrowRight");
    const u = await page.getByRole("textbox", { name: "Update u" }).inputValue();
    // The field may write it with an exponent.
    await eventually(async () => Number(/u=([^&]+)/.exec(await fragmentOf(page))?.[1])).toBe(Number(u));
    const seconds = (performance.now() - began) / 1000;
    expect(await writes(page)).toBeLessThanOrEqual(Math.ceil(seconds / 0.1) + 1);
  });

  test("the entry that is left in the history has the last state", async () => {
    const page = await open("#weight?w=1");
    await page.getByRole("slider", { name: "Weight w" }).press("ArrowLeft");
    await page.getByRole("slider", { name: "Weight w" }).press("ArrowLeft");
    await tab(page, "Your data");
    await page.getByRole("heading", { name: /your run/ }).waitFor();
    await page.goBack();
    await eventually(() => page.getByRole("textbox", { name: "Weight w" }).inputValue()).toBe(
      String(1 - 2 ** -7),
    );
  });
});
