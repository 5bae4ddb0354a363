import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HtmlAssets } from "../report/html/document.js";

/** The same relative path from src/cli and from dist/cli. */
const path = (name: string) => fileURLToPath(new URL(`../../src/report/font/${name}`, import.meta.url));

/** In the build output. */
const builtScript = new URL("./report-script.js", import.meta.url);

/** The font of slides, for a renderer that reads TrueType. */
export const fontFiles = [path("inter-regular.ttf"), path("inter-semibold.ttf")];

/** The font of pages, and their script, which the build bundles into one text. */
export function htmlAssets(script = readFileSync(builtScript, "utf8")): HtmlAssets {
  const face = (weight: number, name: string) => ({
    weight,
    type: "woff2",
    base64: readFileSync(path(name), "base64"),
  });
  return {
    fonts: [face(400, "inter-regular.woff2"), face(600, "inter-semibold.woff2")],
    script,
    sha256: (text) => createHash("sha256").update(text).digest("base64"),
  };
}
