import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync } from "esbuild";

/** How what runs in a browser is bundled. */
export const forBrowsers = {
  bundle: true,
  minify: true,
  write: false,
  platform: "browser",
  format: "iife",
  target: "es2022",
  logLevel: "warning",
} as const satisfies BuildOptions;

/** The script of an exported report, as one text. */
export function reportScript(): string {
  const entry = fileURLToPath(new URL("src/report/html/script/main.ts", import.meta.url));
  const { outputFiles } = buildSync({ ...forBrowsers, entryPoints: [entry] });
  return embeddable(outputFiles[0].text.trim());
}

/** A script that the HTML parser does not end early. */
export function embeddable(script: string): string {
  return script.replace(/<(?=\/script|!--)/gi, "\\x3c");
}
