import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { version } from "../src/version.js";

const root = fileURLToPath(new URL("../src/", import.meta.url));

/** Paths in src, with forward slashes. */
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.tsx?$/.test(path));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");

const isFile = (file: string) => files.includes(file);

/** The room of a file: its folder in src, or itself for the files beside the folders. */
const roomOf = (file: string) => file.split("/")[0];

const node = "node: modules";
const npm = "packages";
const core = ["format", "update", "lens", "engine"];

/** What the files of a room may import besides each other. `version.ts` is a constant and open to all. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  format: [],
  update: ["format"],
  lens: ["format", "update"],
  geometry: ["format", "update", "lens"],
  engine: ["format", "update", "lens", "geometry"],
  source: ["format", "update", "lens", "geometry", node],
  learn: core,
  vectors: ["format", "update", "engine"],
  testing: ["format", "vectors"],
  report: ["format", "lens", "geometry", npm],
  cli: [...core, "geometry", "learn", "vectors", "source", "report", node, npm],
  page: [...core, "learn", "source", "report", node, npm],
  "index.ts": core,
  "diff.ts": [...core, "source"],
  "node.ts": [...core, "source", "index.ts", "diff.ts"],
  "version.ts": [],
};

/** Loaded when a GPU is asked for, and in a browser too: a bundler finds it, and the rest runs without. */
const onDemand = new Set(["engine/gpujs/library.ts imports #gpu.js"]);

/** An entry of its own for who has the package. */
const besidePackages = new Set(["testing/fast-check.ts imports fast-check"]);

interface Import {
  readonly file: string;
  /** A path in src, or what is imported from elsewhere as it is written. */
  readonly target: string;
  /** The room, `node` or `npm`. */
  readonly of: string;
}

/** Every `import` and `export` from elsewhere, and every `import()`. */
function importsOf(file: string): Import[] {
  const text = textOf(file);
  const statements = [
    ...text.matchAll(/^(?:import|export)\b([^"';]*?)\bfrom\s+"([^"]+)"/gm),
    ...text.matchAll(/^import(\s+)"([^"]+)"/gm),
    ...text.matchAll(/\bimport(\()\s*"([^"]+)"/g),
  ];
  return statements.map(([, , specifier]) => {
    if (specifier.startsWith("node:")) return { file, target: specifier, of: node };
    if (!specifier.startsWith(".")) return { file, target: specifier, of: npm };
    const path = relative(root, join(root, dirname(file), specifier)).replaceAll("\\", "/");
    const [target] = [".ts", ".tsx"]
      .map((end) => path.replace(/\.js$/, end))
      .filter(isFile)
      .concat(path);
    return { file, target, of: roomOf(target) };
  });
}

const imports = files.flatMap(importsOf);
const shown = ({ file, target }: Import) => `${file} imports ${target}`;

describe("imports run one way", () => {
  test("every file and every import is seen", () => {
    expect(files.length).toBeGreaterThan(60);
    const statements = files.map((file) => textOf(file).match(/\bfrom\s+"/g)?.length ?? 0);
    expect(imports.length).toBeGreaterThanOrEqual(statements.reduce((sum, n) => sum + n));
    expect(
      imports
        .filter(({ of: targetRoom, target }) => ![node, npm].includes(targetRoom) && !files.includes(target))
        .map(shown),
    ).toEqual([]);
  });

  test("every room has its rule", () => {
    expect(files.filter((file) => !(roomOf(file) in mayImport))).toEqual([]);
  });

  test.each(Object.entries(mayImport))("%s imports nothing but %j", (room, allowed) => {
    const refused = imports
      .filter(({ file }) => roomOf(file) === room)
      .filter((each) => !onDemand.has(shown(each)) && !besidePackages.has(shown(each)))
      .filter(
        ({ of: targetRoom }) =>
          targetRoom !== room && targetRoom !== "version.ts" && !allowed.includes(targetRoom),
      );
    expect(refused.map(shown)).toEqual([]);
  });

  test("nothing imports cli or page", () => {
    const refused = imports.filter(
      ({ file, of: targetRoom }) => ["cli", "page"].includes(targetRoom) && targetRoom !== roomOf(file),
    );
    expect(refused.map(shown)).toEqual([]);
  });

  test("what index.ts reaches runs without Node and without packages", () => {
    const reached = new Set(["index.ts"]);
    for (const file of reached) {
      for (const { of: targetRoom, target } of importsOf(file).filter((each) => !onDemand.has(shown(each)))) {
        expect([node, npm, "source", "report", "cli", "page"], `${file} imports ${target}`).not.toContain(
          targetRoom,
        );
        reached.add(target);
      }
    }
    expect(reached).toContain("format/round.ts");
  });

  test("there is no circle, of types neither", () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path, file].join(" -> "));
      if (path.includes(file) || done.has(file)) return;
      for (const { target } of importsOf(file)) {
        if (files.includes(target)) visit(target, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});

test("version.ts has the version of package.json", () => {
  const { version: ofPackage } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8"));
  expect(version).toBe(ofPackage);
});
