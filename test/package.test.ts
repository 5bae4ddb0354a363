import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { put, temporaryFolder } from "./source/support.js";
import { output } from "./support/cli.js";
import { fullTier } from "./support/tier.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const execute = promisify(execFile);

describe("the bundle for browsers", () => {
  test("needs nothing from outside, but gpu.js when a GPU is asked for", async () => {
    const { outputFiles, metafile, warnings } = await build({
      entryPoints: [join(root, "src/index.ts")],
      bundle: true,
      platform: "browser",
      format: "iife",
      globalName: "precisionLens",
      external: ["#gpu.js"],
      target: "es2022",
      write: false,
      metafile: true,
    });
    expect(warnings).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((path) => path.includes("node_modules"))).toEqual([]);
    const [{ imports }] = Object.values(metafile.outputs);
    expect(imports).toEqual([{ path: "#gpu.js", kind: "dynamic-import", external: true }]);

    // The language itself, and what a browser has of text: no process, require, Buffer, setTimeout.
    const context = createContext({ TextEncoder });
    runInContext(outputFiles[0].text, context);
    const answer = await runInContext(program, context);
    expect(JSON.parse(answer)).toEqual({
      globals: ["undefined", "undefined", "undefined"],
      rounded: [1, 1.0078125, 2.00390625, 448],
      code: 0x3f80,
      ulp: 2 ** -7,
      applied: [{ weight: 1, carrier: 0 }, "lost"],
      counts: { none: 1, lost: 1, kept: 0, moved: 2, nonfinite: 0 },
      unchanged: 2,
    });
  });

  /** Arrays are made inside, because they are of the context's own classes. */
  const program = `(async () => {
    const { round, encode, ulp, format, lens, applyUpdate, classify } = precisionLens;
    const bf16 = format("bf16");
    const { totals, end } = await lens(
      { format: "bf16", data: Uint16Array.of(0x3f80, 0x3f80, 0x3f80, 0xbf80) },
      Float32Array.of(0, 1e-6, 0.5, 0.0078125),
    );
    const { none, lost, kept, moved, nonfinite } = totals;
    const before = { weight: 1, carrier: 0 };
    const after = applyUpdate(before, 1e-6, { format: "bf16" });
    return JSON.stringify({
      globals: [typeof process, typeof require, typeof Buffer],
      rounded: [
        round(1.00390625, bf16),
        round(1.00390625, bf16, { rounding: "nearest-away" }),
        round(2.0039062501, format("tf32")),
        round(1000, format("e4m3fn"), { overflow: "saturate" }),
      ],
      code: encode(1, bf16),
      ulp: ulp(1, bf16),
      applied: [after, classify(before, 1e-6, after)],
      counts: { none, lost, kept, moved, nonfinite },
      unchanged: end.unchanged,
    });
  })()`;
});

describe("the package", () => {
  const folder = temporaryFolder();
  const home = join(folder, "app");
  const installed = join(home, "node_modules/precision-lens");
  const npm = async (...args: string[]) => (await execute("npm", args, { cwd: home })).stdout;
  let packed: { filename: string; unpackedSize: number; files: { path: string }[] };

  beforeAll(async () => {
    await mkdir(home);
    put(home, "package.json", '{"name":"app","private":true,"type":"module"}');
    // Without scripts: `npm test` has built dist, and other tests are using it.
    [packed] = JSON.parse(
      await npm("pack", root, "--json", "--ignore-scripts", "--pack-destination", folder),
    );
    await (fullTier ? installFromRegistry : unpack)(join(folder, basename(packed.filename)));
  });

  async function installFromRegistry(file: string): Promise<void> {
    await npm("install", file, "--no-audit", "--no-fund", "--cache", join(folder, "cache"));
  }

  /** What npm would do, but for asking the registry: the packages that it would bring are those here. */
  async function unpack(file: string): Promise<void> {
    await mkdir(installed, { recursive: true });
    await execute("tar", ["-xzf", file, "-C", installed, "--strip-components=1"]);
    const { dependencies } = await manifest();
    for (const name of Object.keys(dependencies)) {
      await mkdir(dirname(join(home, "node_modules", name)), { recursive: true });
      await symlink(join(root, "node_modules", name), join(home, "node_modules", name), "junction");
    }
  }

  const manifest = async () => JSON.parse(await readFile(join(installed, "package.json"), "utf8"));

  test("holds what is needed and no more", () => {
    const paths = packed.files.map(({ path }) => path);
    const expected =
      /^(dist\/.+\.(c?js|d\.ts)|src\/example\/.+\.safetensors|src\/report\/font\/.+|docs\/[\w-]+\.md|docs\/figures\/.+\.svg)$/;
    expect(paths.filter((path) => !expected.test(path)).sort()).toEqual([
      "LICENSE",
      "README.md",
      "dist/THIRD-PARTY.txt",
      "dist/page/index.html",
      "docs/block-explanation.schema.json",
      "docs/check.schema.json",
      "docs/compare.schema.json",
      "docs/counts.schema.json",
      "docs/diff.schema.json",
      "docs/explanation.schema.json",
      "docs/framework-verification.schema.json",
      "docs/framework.schema.json",
      "docs/inspect.schema.json",
      "docs/learn.schema.json",
      "docs/plan.schema.json",
      "docs/prediction.schema.json",
      "docs/recipes.schema.json",
      "docs/result.schema.json",
      "docs/screens/page-tensor-light.png",
      "docs/series.schema.json",
      "docs/sweep.schema.json",
      "docs/vectors.schema.json",
      "docs/verification.schema.json",
      "package.json",
      "recorders/README.md",
      "recorders/precision_lens_counter.py",
      "recorders/precision_lens_doctor.py",
      "recorders/precision_lens_recorder.py",
    ]);
    // Nothing that was built from a file which is no longer there.
    const sources = paths
      .filter((path) => /^dist\/(?!cli\/|vendor\/).+\.(js|d\.ts)$/.test(path))
      .map((path) => path.replace(/^dist\//, "src/").replace(/\.(js|d\.ts)$/, ".ts"));
    expect(sources.length).toBeGreaterThan(300);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    // Of the bundled tool, nothing that no part of it loads.
    const tool = readdirSync(join(root, "dist/cli"));
    const texts = tool.map((name) => readFileSync(join(root, "dist/cli", name), "utf8"));
    const unused = tool.filter((name) => !texts.some((text) => text.includes(`"./${name}"`)));
    expect(unused).toEqual(["main.js"]);
    // Of which gpu.js, for Node and for browsers, is 1.5 million.
    expect(packed.unpackedSize).toBeLessThan(9_000_000);
  });

  test("has every document and picture that its README links", () => {
    const paths = packed.files.map(({ path }) => path);
    const readme = readFileSync(join(installed, "README.md"), "utf8");
    const links = [...readme.matchAll(/\]\(([^)#]+)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^https?:/.test(link));
    expect(links.length).toBeGreaterThan(20);
    const missing = links.filter(
      (link) => !paths.some((path) => path === link || path.startsWith(`${link}/`)),
    );
    expect(
      missing.filter((link) => !link.endsWith("/") || !paths.some((path) => path.startsWith(link))),
    ).toEqual([]);
    // Every command once.
    const block = readme
      .split("```sh\n")
      .find((part) => part.startsWith("precision-lens demo"))!
      .split("```")[0];
    const commands = [...block.matchAll(/^precision-lens (\S+)/gm)].map(([, name]) => name);
    expect(new Set(commands).size).toBe(commands.length);
  });

  test("has everything that its package.json names", async () => {
    const { exports, bin } = await manifest();
    const targets = [exports, bin].flatMap(function leaves(entry: object | string): string[] {
      return typeof entry === "string" ? [entry] : Object.values(entry).flatMap(leaves);
    });
    expect(targets.length).toBeGreaterThan(5);
    expect(
      targets.filter((path) => !statSync(join(installed, path), { throwIfNoEntry: false })?.isFile()),
    ).toEqual([]);
    // A schema in the package that no import reaches is no use to who validates by it.
    const schemas = packed.files
      .map(({ path }) => `./${path}`)
      .filter((path) => path.endsWith(".schema.json"));
    expect(schemas.filter((path) => !targets.includes(path))).toEqual([]);
  });

  if (fullTier)
    test("brings few packages along, none of them native but the renderer of pictures, which comes built", async () => {
      const paths = readdirSync(home, { recursive: true, encoding: "utf8" });
      const names = paths.filter((path) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(path));
      expect(names.length).toBeLessThan(20);
      const files = paths.map((path) => statSync(join(home, path))).filter((entry) => entry.isFile());
      expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(40_000_000);
      expect(paths.filter((path) => /\.node$|binding\.gyp$/.test(path))).toEqual([
        expect.stringMatching(/^node_modules\/@resvg\//),
      ]);
    });

  test("says how to add what it does not bring, and has gpu.js without it", async () => {
    const asked = cli("simulate", "--elements", "64", "--steps", "1", "--engine", "webgpu");
    const stderr = await asked.catch((error: { stderr: string }) => error.stderr);
    expect(stderr).toBe(
      "precision-lens: engine webgpu: no WebGPU device: " +
        'the package "webgpu" is not installed; `npm install webgpu` adds it beside precision-lens (130 MB)\n',
    );
    const { GPU } = createRequire(join(installed, "dist/index.js"))("#gpu.js");
    const kernel = new GPU({ mode: "cpu" }).createKernel("function () { return this.thread.x + 0.5; }");
    expect([...kernel.setOutput([3])()]).toEqual([0.5, 1.5, 2.5]);
  });

  test("names the licence of everything that is bundled, in the package and in the page", async () => {
    const metas = [join(root, "dist/THIRD-PARTY.txt"), join(root, "dist/page/index.html")];
    const [file, page] = metas.map((path) => readFileSync(path, "utf8"));
    for (const name of [
      "acorn",
      "gpu-mock.js",
      "gpu.js",
      "@preact/signals",
      "@preact/signals-core",
      "preact",
    ]) {
      const { version } = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
      for (const text of [file, page]) expect(text).toContain(`\n${name} ${version}\n\n`);
    }
    expect(file).toContain("\ncommander ");
    expect(page.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(4);
  });

  const cli = async (...args: string[]) => {
    const bin = join(installed, (await manifest()).bin["precision-lens"]);
    const { stdout, stderr } = await execute(process.execPath, [bin, ...args]);
    expect(stderr).toBe("");
    return stdout;
  };

  test("runs the demo as the clone does, and finds its schema: what it saved is rendered", async () => {
    const result = join(folder, "result.json");
    expect(await cli("demo", "--json", result)).toBe(await output("demo"));
    expect(await cli("report", result)).toContain("26,048 weights in 25 tensors");
  });

  if (fullTier)
    test("is found by npx", async () => {
      const { stdout, stderr } = await execute("npx", ["--no-install", "precision-lens", "demo"], {
        cwd: home,
      });
      expect(stdout).toBe(await output("demo"));
      expect(stderr.replace(/^npm warn .*\n/gm, "")).toBe("");
    });

  test("compares, by the program that is a file of its own", async () => {
    const base = join(installed, "src/example/base.safetensors");
    const stdout = await cli("diff", base, base, "--threads", "2");
    expect(stdout).toContain("100.0% of the weights are the same number");
  });

  test("is a library", async () => {
    const script = put(
      home,
      "library.js",
      `import { round, format, lens } from "precision-lens";
import { openRecording } from "precision-lens/node";
const { totals } = await lens({ format: "bf16", data: Uint16Array.of(0x3f80) }, Float32Array.of(1e-6));
process.stdout.write([round(1.005, format("bf16")), totals.lost, typeof openRecording].join());`,
    );
    expect((await execute(process.execPath, [script])).stdout).toBe("1.0078125,1,function");
  });

  test("has types", async () => {
    const types = `import { type Case, format, lens, round } from "precision-lens";
const x: number = round(1.005, format("bf16"), { rounding: "to-odd" });
export const counted: Promise<Case> = lens({ format: "fp32", data: Float32Array.of(x) }, Float32Array.of(1));\n`;
    const options = {
      module: "nodenext",
      target: "es2022",
      lib: ["es2022"],
      types: [],
      strict: true,
      noEmit: true,
    };
    const compile = (file: string) => {
      const config = put(home, "tsconfig.json", JSON.stringify({ compilerOptions: options, files: [file] }));
      return execute(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config]);
    };
    await compile(put(home, "good.ts", types));
    const wrong = put(home, "wrong.ts", types.replace('"to-odd"', '"upwards"'));
    await expect(compile(wrong)).rejects.toMatchObject({ stdout: expect.stringContaining('"upwards"') });
  });
});
