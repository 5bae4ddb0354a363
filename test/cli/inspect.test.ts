import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeSafetensors } from "../../src/source/safetensors/write.js";
import { make, recipes } from "../source/scaled/make.js";
import { put, temporaryFolder } from "../source/support.js";
import { expectRefusal, expectUsageError, output, run } from "../support/cli.js";
import { float32 } from "../support/recorded.js";
import { expectValid } from "../support/schemas.js";

const folder = temporaryFolder();
const coded = put(
  folder,
  "coded.safetensors",
  encodeSafetensors([...make(recipes.mxfp8).tensors, float32("norm.weight", [1, 2, 4])]),
);

describe("inspect", () => {
  test("a table of formats, scales, and what other formats would make of it", async () => {
    const text = await output("inspect", coded, "--as", "bf16,mxfp4", "--as", "nvfp4:transformer-engine");
    expect(text).toContain("5,283 weights in 2 tensors");
    expect(text).toMatch(/^mxfp8-e4m3 +1 +5,280 /m);
    expect(text).toContain("165 scales (e8m0fnu) in 1 tensor");
    expect(text).toMatch(/^module +bf16 dB +to zero +clipped +mxfp4 dB/m);
    expect(text).toContain("nvfp4:transformer-engine dB");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("JSON on stdout and in a file, by its schema", async () => {
    const path = join(folder, "inspection.json");
    const json = await output("inspect", coded, "--as", "e4m3fn", "--json", "-");
    expectValid("inspect", JSON.parse(json));
    expect(await output("inspect", coded, "--as", "e4m3fn", "--json", path, "--quiet")).toBe("");
    expect(readFileSync(path, "utf8")).toBe(json);
  });

  test("a report as a page, Markdown and CSV, the same from the saved JSON", async () => {
    const at = (name: string) => join(folder, name);
    const outputs = (prefix: string) =>
      ["html", "markdown", "csv"].flatMap((kind) => [`--${kind}`, at(`${prefix}.${kind}`)]);
    const asked = ["inspect", coded, "--as", "bf16,mxfp4", "--json", at("saved.json"), "--quiet"];
    expect(await output(...asked, ...outputs("first"))).toBe("");
    await output("report", at("saved.json"), "--quiet", ...outputs("again"));
    for (const kind of ["html", "markdown", "csv"])
      expect(readFileSync(at(`again.${kind}`), "utf8")).toBe(readFileSync(at(`first.${kind}`), "utf8"));
    const page = readFileSync(at("first.html"), "utf8");
    expect(page).toContain("<h1>5,283 weights in 2 tensors.</h1>");
    expect(page).toContain("165 scales (e8m0fnu) in 1 tensor");
    expect(page).toMatch(/precision-lens inspect \S*coded.safetensors<\/span> <span>--as bf16,mxfp4</);
    expect(readFileSync(at("first.markdown"), "utf8")).toMatch(/^\| mxfp8-e4m3 \| 1 \| 5,280 /m);
    const [headings, ...rows] = readFileSync(at("first.csv"), "utf8").trimEnd().split("\r\n");
    expect(headings).toMatch(
      /^tensor,shape,kind,stack,layer,format,elements,.*,rms,bf16.elements,.*mxfp4.sqnr$/,
    );
    expect(rows).toHaveLength(2);
    expect(rows.some((row) => /^norm\.weight,3,norm,,,fp32,3,0,/.test(row))).toBe(true);
  });

  test("a NaN takes the finite numbers of its block along, which is said", async () => {
    const numbers = Float32Array.from({ length: 64 }, (_, i) => (i === 5 ? Number.NaN : 0.01 * i));
    const path = put(
      folder,
      "nan.safetensors",
      encodeSafetensors([{ ...float32("w", numbers), shape: [2, 32] }]),
    );
    const text = await output("inspect", path, "--as", "mxfp4,fp8-128x128");
    expect(text.replaceAll(/\s+/g, " ")).toContain(
      "31 finite numbers that share a scale with a NaN or Inf would be NaN in mxfp4; dB is of the rest. " +
        "63 finite numbers that share a scale with a NaN or Inf would be NaN in fp8-128x128; dB is of the rest.",
    );
    expect(text).toMatch(/^other +[\d.]+ +\S+ +\S+ +– /m);
    // All of them were tried.
    expect(text).not.toContain("squares");
    const json = JSON.parse(await output("inspect", path, "--as", "mxfp4,bf16", "--json", "-"));
    expectValid("inspect", json);
    expect(json.totals.as.map((quality: { storedNaN?: number }) => quality.storedNaN)).toEqual([
      31,
      undefined,
    ]);
  });

  test("--sample takes a number of squares of each tensor, or all", async () => {
    // Five squares of 128 x 128: one more than by default.
    const numbers = Float32Array.from({ length: 128 * 640 }, (_, i) => 1 + (i % 7));
    const tensor = { ...float32("w", numbers), shape: [128, 640] };
    const path = put(folder, "wide.safetensors", encodeSafetensors([tensor]));
    const tried = async (...args: string[]) => {
      const { settings, totals } = JSON.parse(
        await output("inspect", path, "--as", "bf16", ...args, "--json", "-"),
      );
      return [settings.sample, totals.as[0].elements];
    };
    expect(await tried("--sample", "all")).toEqual([null, 81_920]);
    expect(await tried()).toEqual([4, 65_536]);
    expect(await tried("--sample", "1")).toEqual([1, 16_384]);
    const text = async (sample: string) =>
      (await output("inspect", path, "--as", "bf16", "--sample", sample)).replaceAll(/\s+/g, " ");
    expect(await text("all")).not.toContain("Formats were tried on");
    expect(await text("1")).toContain("at most 1 square of 128 x 128 of each tensor");
    expect(await text("2")).toContain("at most 2 squares of 128 x 128 of each tensor");
  });

  test("findings on a page and in Markdown", async () => {
    const [codes, scales] = make(recipes["DeepSeek-V3"]).tensors;
    const wrong = [codes, { ...scales, data: new Float32Array(6) }];
    const path = put(folder, "wrong.safetensors", encodeSafetensors(wrong));
    expect(await output("inspect", path, "--markdown", "-")).toMatch(
      /^\| .* \| 6 of 6 scales in .* \| scales-zero \|$/m,
    );
    expect(await output("inspect", path, "--html", "-")).toContain("1 finding, most likely mistakes.");
  });

  test("what is most likely a mistake", async () => {
    const [codes, scales] = make(recipes["DeepSeek-V3"]).tensors;
    const path = put(
      folder,
      "zero.safetensors",
      encodeSafetensors([codes, { ...scales, data: new Float32Array(6) }]),
    );
    const text = await output("inspect", path);
    expect(text).toContain("1 finding:");
    expect(text.replaceAll(/\s+/g, " ")).toContain("6 of 6 scales in");
    expect(text).toContain("(scales-zero)");
  });

  test("refuses in one sentence", async () => {
    const before = readdirSync(folder);
    await expectRefusal(
      ["inspect", join(folder, "none")],
      join(folder, "none"),
      "a file of safetensors or torch.save, its index, or a folder with one of them",
      "nothing there",
    );
    await expectRefusal(
      ["inspect", coded, "--json", join(folder, "no", "x.json")],
      join(folder, "no", "x.json"),
      `its folder ${join(folder, "no")} to exist`,
      "no such folder",
    );
    await expectUsageError(
      ["inspect", coded, "--as", "fp17"],
      /unknown format "fp17".* or with scales mxfp8-e4m3/s,
    );
    await expectUsageError(["inspect", coded, "--sample", "some"], /expected a whole number/);
    await expectUsageError(["inspect"], /missing required argument 'file'/);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("an input is not overwritten", async () => {
    const copy = put(folder, "copy", readFileSync(coded));
    const { status, stderr } = await run(["inspect", copy, "--json", copy]);
    expect(status).toBe(2);
    expect(stderr).toContain("expected another file than the inputs");
  });
});
