import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The script of a page for tests in a browser, minified like that of a published page. */
export async function bundleForBrowser(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    minify: true,
    logLevel: "error",
  });
  return outputFiles[0].text;
}
