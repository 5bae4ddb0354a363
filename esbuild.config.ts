/** What the compiler does not put together: the command line tool and the interactive page. Run by `npm run build`. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The command line tool, dist/cli: a file for each command and for what several of them share, because Node takes
 * longer to find and open some two hundred modules than most commands work: 0.1 s of 0.3. `diff` as a program of its own
 * is in one file, commander in it, which saves another 0.03 s, a twentieth of what it takes for 8 GB.
 */
async function buildTool(): Promise<void> {
  const common: BuildOptions = {
    outdir: pathOf("dist/cli"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    // A third of the bytes; names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    logLevel: "warning",
  };
  const alone = "./diff-alone.js";
  // all-commands by its name, so that tests can call what is built without a process.
  const entryPoints = ["main", "all-commands"].map((name) => pathOf(`src/cli/${name}.ts`));
  await build({ ...common, entryPoints, splitting: true, external: [alone] });
  await build({ ...common, ...withCommander(), entryPoints: [pathOf("src/cli/diff-alone.ts")] });
  // Each thread opens it anew; modules of the other kind take 20 ms longer to start.
  const thread: BuildOptions = { ...common, format: "cjs", outExtension: { ".js": ".cjs" } };
  await build({ ...thread, entryPoints: [pathOf("src/cli/diff-worker.ts")] });
}

/** Bundles commander and no other package. It is no module and asks for Node's by `require`; its licence goes with it. */
function withCommander(): BuildOptions {
  const licence = readFileSync(pathOf("node_modules/commander/LICENSE"), "utf8");
  const require =
    'import * as ofNode from "node:module";\nconst require = ofNode.createRequire(import.meta.url);';
  return {
    alias: { commander: pathOf("node_modules/commander/esm.mjs") },
    banner: { js: `/*\ncommander\n\n${licence.trim()}\n*/\n${require}` },
  };
}

const forBrowsers: BuildOptions = {
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

/** The interactive page, dist/page/index.html: one file with everything in it. */
async function buildPage(): Promise<void> {
  const bundled = async (entry: string, options: BuildOptions = {}) => {
    const { outputFiles } = await build({ ...forBrowsers, ...options, entryPoints: [pathOf(entry)] });
    return outputFiles![0].text.trim();
  };
  const gpuJs = readFileSync(pathOf("node_modules/gpu.js/dist/gpu-browser.min.js"));
  const parts: Readonly<Record<string, string>> = {
    style: await bundled("src/page/style/main.css"),
    worker: embeddable(await bundled("src/page/compute/worker.ts")),
    main: embeddable(await bundled("src/page/main.tsx", { jsx: "automatic", jsxImportSource: "preact" })),
    base: readFileSync(pathOf("src/example/base.safetensors")).toString("base64"),
    gpu: deflateRawSync(gpuJs, { level: 9 }).toString("base64"),
  };
  const html = readFileSync(pathOf("src/page/index.html"), "utf8");
  const target = pathOf("dist/page/index.html");
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    target,
    html.replace(/ data-part="(\w+)">/g, (_, part: string) => `>${parts[part]}`),
  );
}

/** A script that the HTML parser does not end early. */
function embeddable(script: string): string {
  return script.replace(/<(?=\/script|!--)/gi, "\\x3c");
}

await buildTool();
await buildPage();
