/** Builds the interactive page: one HTML file with everything in it, dist/page/index.html. Run by `npm run build`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const target = pathOf("dist/page/index.html");

const common: BuildOptions = {
  bundle: true,
  minify: true,
  write: false,
  platform: "browser",
  format: "iife",
  target: "es2022",
  // gpu.js is put beside the bundle, and found there when it is asked for.
  alias: { "gpu.js": pathOf("src/page/compute/gpu-js.ts") },
  logLevel: "warning",
};

async function bundled(entry: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({ ...common, ...options, entryPoints: [pathOf(entry)] });
  return outputFiles![0].text.trim();
}

/** A script that the HTML parser does not end early. */
function embeddable(script: string): string {
  return script.replace(/<(?=\/script|!--)/gi, "\\x3c");
}

const gpuJs = readFileSync(pathOf("node_modules/gpu.js/dist/gpu-browser.min.js"));
const parts: Readonly<Record<string, string>> = {
  style: await bundled("src/page/style/main.css"),
  worker: embeddable(await bundled("src/page/compute/worker.ts")),
  main: embeddable(await bundled("src/page/main.tsx", { jsx: "automatic", jsxImportSource: "preact" })),
  gpu: deflateRawSync(gpuJs, { level: 9 }).toString("base64"),
};
const html = readFileSync(pathOf("src/page/index.html"), "utf8");

mkdirSync(dirname(target), { recursive: true });
writeFileSync(
  target,
  html.replace(/ data-part="(\w+)">/g, (_, part: string) => `>${parts[part]}`),
);
