import { describe, expect, it } from "vitest";
import { reference } from "../../src/engine/reference/reference.js";
import { summarizeCase } from "../../src/lens/run/summarize.js";
import { renderCsv } from "../../src/report/csv.js";
import { headline } from "../../src/report/headline.js";
import { finePercent, sharedTable } from "../../src/report/shared-scales.js";
import { schemeSettings } from "../../src/update/block-settings.js";
import { renderMarkdown, renderTable } from "../support/rendered.js";
import { resultOf } from "../support/results.js";
import { expectValid } from "../support/schemas.js";
import { tensorOf } from "../support/values.js";

/** A block whose largest number crosses a power of two: the scale doubles and numbers between two codes of it move. */
async function result() {
  const weights = Array.from({ length: 32 }, (_, i) => (i === 0 ? 1.99 : 0.05 + i / 64));
  const updates = weights.map((_, i) => (i === 0 ? 0.02 : i < 16 ? 0 : 1e-9));
  const job = {
    tensors: [tensorOf("w", weights, updates)],
    stepNumbers: [0],
    cases: [
      schemeSettings({ format: "bf16", scheme: "master" }),
      schemeSettings({ format: "mxfp4", scheme: "master" }),
    ],
  };
  return resultOf((await reference.run(job)).map(summarizeCase));
}

const sharedResult = await result();

describe("a result of shared scales", () => {
  it("calls a number what stays: the scale changed numbers whose bits stayed", () => {
    const unwrapped = (cases: typeof sharedResult.cases) =>
      renderTable({ ...sharedResult, cases }).replaceAll("\n", " ");
    expect(unwrapped(sharedResult.cases)).toContain(
      "At the end, of the weights: unchanged numbers, and hidden",
    );
    expect(unwrapped(sharedResult.cases.slice(0, 1))).toContain(
      "At the end, of the weights: unchanged bits, and hidden",
    );
  });

  it("keeps to its schema, and counts what the scale moved by class", () => {
    expectValid("result", sharedResult);
    const [bf16, mxfp4] = sharedResult.cases.map(({ totals }) => totals);
    expect(bf16).toMatchObject({ moved: 1, collateral: 0, none: 15, zeros: 15, lost: 16 });
    expect(mxfp4.shared).toMatchObject({ blocks: 1, blockScales: 1, tensors: 0 });
    // 0.125 and 0.375 are no numbers of the new scale: their codes move, be their update zero or not.
    expect(mxfp4.collateral).toBeGreaterThan(4);
    expect(mxfp4.zeros).toBe(15);
    expect(mxfp4.none).toBeLessThan(15);
  });

  it("is a table with codes, scales and numbers; of bf16 these are one", () => {
    const { totals, end } = sharedResult.cases[1];
    const [bf16, mxfp4] = sharedTable(sharedResult)!.rows;
    expect(bf16.slice(1, 5)).toEqual(["3.1%", "–", "–", "3.1%"]);
    expect(mxfp4[1]).toBe(finePercent(totals.shared!.codes / 32));
    expect(mxfp4[2]).toBe("100%");
    expect(mxfp4[4]).toBe(finePercent((totals.moved + totals.collateral) / 32));
    expect(mxfp4[7]).toBe(finePercent(totals.shared!.bits / (32 * 4 + 8)));
    expect(mxfp4[8]).toBe(finePercent(end.shared!.codes / 32));
  });

  it("is told in every rendering", () => {
    expect(headline(sharedResult).join(" ")).toContain("by a scale alone");
    expect(renderTable(sharedResult)).toMatch(/by scale/);
    expect(renderMarkdown(sharedResult)).toContain("## Codes, scales and numbers");
    const [heading, , mxfp4] = renderCsv({
      ...sharedResult,
      cases: sharedResult.cases.map((each) => ({ ...each, tensors: [] })),
    }).split("\r\n");
    const at = heading.split(",").indexOf("shared.blockScales");
    expect(mxfp4.split(",")[at]).toBe("1");
  });

  it("is as it was where no scales are shared", () => {
    const plain = { ...sharedResult, cases: sharedResult.cases.slice(0, 1) };
    expect(sharedTable(plain)).toBeNull();
    expect(renderTable(plain)).not.toContain("scale");
    expect(renderCsv(plain)).not.toContain("shared");
  });
});

it.each([
  [0, "0%"],
  [1, "100%"],
  [0.00062, "0.062%"],
  [0.9999, ">99%"],
  [0.998, ">99%"],
  [0.994, "99%"],
  [3e-7, "0.00003%"],
  [null, "–"],
])("a share of %s is %s", (share, text) => expect(finePercent(share)).toBe(text));
