/**
 * What the compiler does not put together: the command line tool, the interactive page, the report's script, gpu.js, and the licences of what
 * is bundled. Run by `npm run build`.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";
import { embeddable, forBrowsers, reportScript } from "./browser-bundle.js";

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
    external: ["#gpu.js"],
    // A third of the bytes; names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    logLevel: "warning",
  };
  const alone = "./diff-alone.js";
  // all-commands by its name, so that tests can call what is built without a process.
  const entryPoints = ["main", "all-commands"].map((name) => pathOf(`src/cli/${name}.ts`));
  await build({ ...common, entryPoints, splitting: true, external: [alone, "#gpu.js"] });
  const program = { entryPoints: [pathOf("src/cli/diff-alone.ts")], external: ["./all-commands.js"] };
  await build({ ...common, ...withCommander(), ...program });
  // Each thread opens it anew; modules of the other kind take 20 ms longer to start.
  const thread: BuildOptions = { ...common, format: "cjs", outExtension: { ".js": ".cjs" } };
  const threads = ["diff-worker", "geometry-worker"].map((name) => pathOf(`src/cli/${name}.ts`));
  await build({ ...thread, entryPoints: threads });
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

/** The script of reports, which `--html` puts into a page. */
function buildReportScript(): void {
  writeFileSync(pathOf("dist/cli/report-script.js"), reportScript());
}

/** The interactive page, dist/page/index.html: one file with everything in it. */
async function buildPage(): Promise<void> {
  const bundled = async (entry: string, options: BuildOptions = {}) => {
    const { outputFiles } = await build({
      ...forBrowsers,
      // gpu.js is put beside the bundle, and found there when it is asked for.
      alias: { "#gpu.js": pathOf("src/page/compute/gpu-js.ts") },
      ...options,
      entryPoints: [pathOf(entry)],
    });
    return outputFiles![0].text.trim();
  };
  const packed = (path: string) =>
    deflateRawSync(readFileSync(pathOf(path)), { level: 9 }).toString("base64");
  const parts: Readonly<Record<string, string>> = {
    fonts: fontFaces(),
    style: await bundled("src/page/style/main.css"),
    worker: embeddable(await bundled("src/page/compute/worker.ts")),
    main: embeddable(await bundled("src/page/main.tsx", { jsx: "automatic", jsxImportSource: "preact" })),
    base: packed("src/example/base.safetensors"),
    teacher: packed("src/example/final-fp32.safetensors"),
    gpu: packed("node_modules/gpu.js/dist/gpu-browser.min.js"),
    licences: embeddable(licences(inPage)),
  };
  const html = readFileSync(pathOf("src/page/index.html"), "utf8");
  const target = pathOf("dist/page/index.html");
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    target,
    html.replace(/ data-part="(\w+)">/g, (_, part: string) => `>${parts[part]}`),
  );
}

/** Inter in two weights; letters that it lacks come from the reader's system. */
function fontFaces(): string {
  const faces = [
    { weight: "400", name: "inter-regular" },
    { weight: "600 700", name: "inter-semibold" },
  ];
  return faces
    .map(({ weight, name }) => {
      const base64 = readFileSync(pathOf(`src/report/font/${name}.woff2`), "base64");
      return `@font-face{font-family:Inter;font-weight:${weight};src:url(data:font/woff2;base64,${base64}) format("woff2")}`;
    })
    .join("\n");
}

/**
 * gpu.js, dist/vendor: installed as a package it brings 165 others, a native build and a second Dawn. For Node whole, but for
 * `gl`, which it uses where somebody installs it; for browsers as its makers bundle it.
 */
async function buildGpuJs(): Promise<void> {
  const folder = pathOf("dist/vendor");
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [pathOf("node_modules/gpu.js/src/index.js")],
    outfile: `${folder}/gpu.cjs`,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["gl", "webgpu"],
    // Names stay: it reads functions by their text.
    minifyWhitespace: true,
    logLevel: "error",
  });
  copyFileSync(pathOf("node_modules/gpu.js/dist/gpu-browser.min.js"), `${folder}/gpu-browser.cjs`);
  writeFileSync(pathOf("dist/THIRD-PARTY.txt"), licences([...new Set(["commander", ...inPage])].sort()));
}

const inGpuJs = ["acorn", "gpu-mock.js", "gpu.js"];
const inPage = [...inGpuJs, "@preact/signals", "@preact/signals-core", "preact", "uqr"].sort();

/** Name, version and licence of packages whose code is in a bundle. */
function licences(packages: readonly string[]): string {
  const texts = packages.map((name) => {
    const folder = pathOf(`node_modules/${name}`);
    const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  const inter = readFileSync(pathOf("src/report/font/OFL.txt"), "utf8").trim();
  return ["precision-lens bundles these packages.\n", ...texts, `Inter 4, a font\n\n${inter}\n`].join(
    `\n${"-".repeat(80)}\n\n`,
  );
}

await buildTool();
buildReportScript();
await buildPage();
await buildGpuJs();
