import { escapeXml } from "../charts/svg.js";
import { styleSheet } from "./style.js";

/** The assets of a page that must be passed in: src/report has access to neither files nor hashes. */
export interface HtmlAssets {
  /** Font files (WOFF2 or TrueType) by weight, in base64; empty: use system fonts. */
  readonly fonts: readonly { readonly weight: number; readonly type: string; readonly base64: string }[];
  /** The page's script: `script/main.ts` bundled into one text. */
  readonly script: string;
  /** SHA-256 of a text in base64, by which the page allows only that script. */
  readonly sha256: (text: string) => string;
}

/** A page in one file, which makes no network requests. `data` is shown by the script. */
export function htmlDocument(title: string, body: string, data: unknown, assets: HtmlAssets): string {
  const { script } = assets;
  const faces = assets.fonts.map(
    ({ weight, type, base64 }) =>
      `@font-face{font-family:Inter;font-weight:${weight};src:url(data:font/${type};base64,${base64})}`,
  );
  // Nothing is loaded, and no other script than the one below runs, whatever names in files contain.
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "font-src data:",
    `script-src 'sha256-${assets.sha256(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}</title>
<style>${faces.join("")}${styleSheet}</style>
</head>
<body>
${body}
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** JSON for a script element: no text in it can end the element or start a comment. */
export function embeddedJson(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
