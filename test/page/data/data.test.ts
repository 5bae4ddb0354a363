import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { reference } from "../../../src/engine/reference/reference.js";
import { classes } from "../../../src/lens/classify.js";
import { summarizeCase } from "../../../src/lens/run/summarize.js";
import { percent } from "../../../src/report/numbers.js";
import { comparePair } from "../../../src/source/pair/compare-pair.js";
import { openPair } from "../../../src/source/pair/open-pair.js";
import { openRecording, recordedRun } from "../../../src/source/recording.js";
import { encodeSafetensors } from "../../../src/source/safetensors/write.js";
import { updateSettings } from "../../../src/update/settings.js";
import { put, temporaryFolder } from "../../source/support.js";
import { float32, recorded, writeRun } from "../../support/recorded.js";
import { describeNeeding, requirements } from "../../support/requirements.js";
import { countOf, withBrowser } from "../browser.js";

const run = recorded("rlvr/early");
const folder = temporaryFolder();

/** Drops files on the page as a visitor would. */
async function drop(page: Page, ...paths: string[]): Promise<void> {
  const files = paths.map((path) => ({
    name: path.split("/").at(-1)!,
    bytes: readFileSync(path).toString("base64"),
  }));
  const transfer = await page.evaluateHandle(
    `(() => {
      const transfer = new DataTransfer();
      for (const { name, bytes } of ${JSON.stringify(files)}) {
        transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
      }
      return transfer;
    })()`,
  );
  await page.locator(".drop").dispatchEvent("drop", { dataTransfer: transfer });
}

describeNeeding(requirements.chromium, "dropped files", () => {
  const { open } = withBrowser();

  test("a recorded run is counted as the command line counts it", async () => {
    const page = await open("#data");
    // In any order: the names of the tensors tell which is which.
    await drop(page, join(run, "updates.safetensors"), join(run, "base.safetensors"));
    await page.locator("[data-kind=run]").waitFor();
    const { tensors, stepNumbers, close } = await openRecording(await recordedRun(run));
    const settings = (["in-place", "master", "kahan"] as const).map((scheme) =>
      updateSettings({ format: "bf16", scheme }),
    );
    const cases = (await reference.run({ tensors, stepNumbers, cases: settings })).map(summarizeCase);
    await close();
    for (const { scheme, totals, end } of cases) {
      const section = page.locator(`[data-case="bf16 ${scheme}"]`);
      const shown = await Promise.all(
        classes.map((name) =>
          section.locator(`[data-class=${name}]`).getAttribute("data-count").then(Number),
        ),
      );
      expect([scheme, ...shown]).toEqual([scheme, ...classes.map((name) => totals[name])]);
      // One denominator: the updates that were not zero.
      expect(await section.locator("[data-class=lost] b").textContent()).toBe(
        percent(totals.lost / (totals.moved + totals.kept + totals.lost)),
      );
      const unchanged = await section.locator("[data-fact=unchanged]").getAttribute("data-count");
      expect(Number(unchanged)).toBe(end.unchanged);
      expect(await section.textContent()).not.toContain("chance");
    }
    const stochastic = (await page.locator('[data-case="bf16 stochastic"]').textContent())!;
    expect(stochastic).toContain("stayed by chance");
    expect(stochastic).not.toContain("lost");
    await page.getByText(/by the wasm engine/).waitFor();
  });

  test("are chosen too, one after the other; another engine and format count again", async () => {
    const page = await open("#data");
    await page.locator("input[type=file]").setInputFiles(join(run, "base.safetensors"));
    await page.getByText("base.safetensors, and one more").waitFor();
    await page.locator("input[type=file]").setInputFiles(join(run, "updates.safetensors"));
    await page.locator("[data-case='bf16 in-place']").waitFor();
    await page.getByRole("radio", { name: "reference" }).check();
    await page.getByText(/by the reference engine/).waitFor();
    await page.getByLabel("Store a recorded run as").selectOption("fp16");
    await page.locator("[data-case='fp16 in-place']").waitFor();
    expect(page.url()).toContain("#data?format=fp16&engine=reference");
  });

  test("two checkpoints are compared as diff compares them, and swapped", async () => {
    const page = await open("#data");
    const before = put(folder, "before.safetensors", encodeSafetensors([float32("a", [1, 2, 3, 4])]));
    const after = put(
      folder,
      "after.safetensors",
      encodeSafetensors([
        { name: "a", dtype: "BF16", shape: [4], data: Uint16Array.of(0x3f80, 0x4000, 0x4040, 0x4088) },
      ]),
    );
    await drop(page, before, after);
    await page.locator("[data-kind=pair]").waitFor();
    const pair = await openPair(before, after);
    const [tally] = (await comparePair(pair, { sample: 0, seed: 0 })).tallies;
    await pair.close();
    expect(await countOf(page, "[data-fact=unchanged]")).toBe(tally.unchanged);
    await page.getByText(/are identical as bf16[;.]/).waitFor();
    expect(await countOf(page, "[data-fact=changed]")).toBe(tally.changed);
    await page.getByText("before.safetensors before, after.safetensors after").waitFor();
    await page.getByRole("button", { name: "Swap" }).click();
    await page.getByText("after.safetensors before, before.safetensors after").waitFor();
  });

  test("an upper bound is not rounded down, nor said to be more than something", async () => {
    const before = Array.from({ length: 4096 }, (_, i) => 1 + i);
    const after = before.map((x, i) => (i === 7 ? x + 1 : x));
    const page = await open("#data");
    await drop(
      page,
      put(folder, "before-bound.safetensors", encodeSafetensors([float32("a", before)])),
      put(folder, "after-bound.safetensors", encodeSafetensors([float32("a", after)])),
    );
    // 4095 / 4096 is 99.9756%.
    expect(await page.locator("[data-fact=real]").textContent()).toBe("at most 99.98%");
  });

  const names = ["model.layers.10.post_attention_layernorm.weight", "model.embed_tokens.weight"];
  test("of weights that are NaN or Inf: their number comes first, and every share says that it is of the others", async () => {
    const weights = names.map((name) => float32(name, [Number.NaN, Number.POSITIVE_INFINITY, 1, 2]));
    const broken = await writeRun(
      join(folder, "nonfinite"),
      weights,
      names.map((name) => float32(`step0001/${name}`, [1, 1, 1e-9, 1])),
    );
    const page = await open("#data");
    await drop(page, join(broken, "base.safetensors"), join(broken, "updates.safetensors"));
    const told = page.locator("[data-fact=nonfinite]");
    expect(await told.textContent()).toBe(
      "50.0% of the weights (4) were or became NaN or Inf, stored as bf16 in-place and 4 more. What follows is about the rest.",
    );
    const inPlace = page.locator("[data-case='bf16 in-place']");
    expect(await inPlace.textContent()).toMatch(
      /Shares are of the nonzero updates of finite weights; .*50\.0% of the finite weights unchanged at the end.*displacement of the finite weights \d/,
    );
    expect(await page.locator(".answer").textContent()).toContain("50.0% of the finite weights end as");

    const after = put(folder, "nonfinite-after.safetensors", encodeSafetensors(weights));
    await drop(page, join(broken, "base.safetensors"), after);
    await page.locator("[data-kind=pair]").waitFor();
    expect(await told.textContent()).toBe(
      "50.0% of the weights (4) are NaN or Inf on one side or both. What follows is about the rest.",
    );
    expect(await page.locator(".answer").textContent()).toContain(
      "100.0% of the finite weights are identical",
    );
    expect(await page.locator(".facts").textContent()).toContain(
      "of the finite weights really never updated",
    );
  });

  test("names are broken after dots and underscores, and never within a word", async () => {
    const page = await open("#data", { viewport: { width: 375, height: 800 } });
    await drop(
      page,
      ...["a", "b"].map((file) =>
        put(
          folder,
          `${file}_${"long_".repeat(9)}name.safetensors`,
          encodeSafetensors(names.map((name) => float32(name, [1, 2]))),
        ),
      ),
    );
    await page.locator("[data-kind=pair]").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
    const lines = await page.evaluate<
      string[]
    >(`[...document.querySelectorAll(".findings tbody th, .what")].flatMap((place) => {
      const lines = [];
      const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
      const range = document.createRange();
      let top = null;
      while (walker.nextNode()) {
        for (let i = 0; i < walker.currentNode.length; i++) {
          range.setStart(walker.currentNode, i);
          range.setEnd(walker.currentNode, i + 1);
          const box = range.getBoundingClientRect();
          if (top === null || box.top > top + 4) lines.push("");
          top = box.top;
          lines[lines.length - 1] += walker.currentNode.data[i];
        }
      }
      // All but the last, which ends with the text.
      return lines.slice(0, -1);
    })`);
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.filter((line) => !/[._\s:,]$/.test(line))).toEqual([]);
  });

  test("a recorded run is there for who has none: its checkpoints, compared as diff compares them", async () => {
    const page = await open("#data");
    await page.getByRole("button", { name: "Compare a recorded run" }).click();
    await page.getByText("base.safetensors before, final-fp32.safetensors after").waitFor();
    const pair = await openPair("src/example/base.safetensors", "src/example/final-fp32.safetensors");
    const [...all] = (await comparePair(pair, { sample: 0, seed: 0 })).tallies;
    await pair.close();
    expect(await countOf(page, "[data-fact=unchanged]")).toBe(
      all.reduce((sum, { unchanged }) => sum + unchanged, 0),
    );
  });

  test("that cannot be used: one sentence", async () => {
    const broken = put(folder, "broken.safetensors", "not a header at all");
    const page = await open("#data");
    const alert = page.getByRole("alert");
    for (const [paths, sentence] of [
      [[broken, broken, broken], /expected two safetensors files, found 3 files/],
      [
        [broken, join(run, "base.safetensors")],
        /broken\.safetensors: expected a safetensors file, found another kind of file/,
      ],
      [
        [join(run, "updates.safetensors"), join(run, "updates.safetensors")],
        /expected the weights of the run/,
      ],
    ] as const) {
      await drop(page, ...paths);
      await alert.filter({ hasText: sentence }).waitFor();
      expect(await alert.count()).toBe(1);
      expect(await alert.textContent()).not.toMatch(/went wrong/);
    }
  });

  test("that cannot be one of two are refused at once, and called what they are", async () => {
    const page = await open("#data");
    const alert = page.getByRole("alert");
    for (const [name, contents, sentence] of [
      ["pic.jpg", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 1, 2, 3, 4), /found a JPEG picture/],
      ["paper.pdf", "%PDF-1.7 and more", /found a PDF/],
      ["result.json", '{\n  "schema": "precision-lens/2"}', /report RESULT\.json --html/],
      ["model.gguf", "GGUF and more, and more", /found a GGUF file/],
      ["model.pt", "PK\x03\x04 and more", /found a zip archive, as torch\.save writes/],
      ["model.safetensors", "version https://git-lfs.github.com/spec/v1", /found a Git LFS pointer/],
    ] as const) {
      await drop(page, put(folder, name, contents));
      await alert.filter({ hasText: sentence }).waitFor();
      expect(await alert.textContent()).toContain(`${name}: expected a safetensors file, found`);
      await page.getByText("Drop two safetensors files here").waitFor();
    }
  });

  test("gradients are no updates: the sentence says how to count them", async () => {
    const gradients = put(
      folder,
      "gradients-00001.safetensors",
      readFileSync(join(run, "updates.safetensors")),
    );
    const page = await open("#data");
    await drop(page, join(run, "base.safetensors"), gradients);
    await page.getByText(/found gradients, which need an optimizer: .*--optimizer adamw --lr/).waitFor();
    expect(await page.locator("[data-kind=run]").count()).toBe(0);
  });

  test("names are text", async () => {
    const name = `</script><img src=x onerror="document.title='injected'"><b>&amp;`;
    const hostile = await writeRun(
      join(folder, "hostile"),
      [float32(name, [1, 2]), float32(`${name}2`, [1])],
      [float32(`step0001/${name}`, [1e-9, 1])],
    );
    const page = await open("#data");
    await drop(page, join(hostile, "base.safetensors"), join(hostile, "updates.safetensors"));
    await page.locator("[data-kind=run]").waitFor();
    await page.getByText("1 left out").click();
    expect(await page.getByText(name, { exact: true }).count()).toBe(1);
    expect(await page.locator("article img, article script").count()).toBe(0);
    expect(await page.title()).not.toBe("injected");
    // The alert too.
    await drop(page, join(hostile, "updates.safetensors"), join(hostile, "updates.safetensors"));
    await page.getByRole("alert").waitFor();
    expect(await page.locator("img").count()).toBe(0);
  });
});
