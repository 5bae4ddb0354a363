import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Tests that prove one part of the project, and run in one tier. */
export interface Group {
  readonly name: string;
  /** Globs of its test files, which no other group has. */
  readonly tests: readonly string[];
  /**
   * Files and folders that its full tier proves: it runs again when they change. Not what they build on: the full
   * tier of that proves that it does what it did, and the quick tier of every group always runs.
   */
  readonly sources: readonly string[];
  /** Folders below its sources that another group proves. */
  readonly without?: readonly string[];
  /** Whether it changes the process that it runs in, so that no other group may run there. */
  readonly apart?: boolean;
}

export const groups: readonly Group[] = [
  {
    name: "format",
    tests: ["test/format/**/*.test.ts", "test/verify/**/*.test.ts"],
    sources: ["src/format", "test/format", "test/verify"],
  },
  {
    name: "update",
    tests: ["test/update/**/*.test.ts"],
    sources: ["src/update", "test/update"],
  },
  { name: "lens", tests: ["test/lens/**/*.test.ts"], sources: ["src/lens", "test/lens"] },
  {
    name: "geometry",
    tests: ["test/geometry/**/*.test.ts"],
    sources: ["src/geometry", "test/geometry", "test/data/geometry"],
  },
  {
    name: "engine",
    tests: ["test/engine/*.test.ts", "test/engine/!(gpujs|webgpu)/**/*.test.ts"],
    sources: ["src/engine", "test/engine"],
    without: ["src/engine/gpujs", "src/engine/webgpu", "test/engine/gpujs", "test/engine/webgpu"],
  },
  {
    name: "webgpu",
    // SwiftShader becomes the GPU of the process: `doctor` would prove it for a minute of a core.
    apart: true,
    tests: ["test/engine/webgpu/**/*.test.ts"],
    sources: [
      "src/engine/lane",
      "src/engine/webgpu",
      "test/engine/webgpu",
      "test/support/gpu",
      "package-lock.json",
    ],
  },
  {
    name: "gpujs",
    apart: true,
    tests: ["test/engine/gpujs/**/*.test.ts"],
    sources: ["src/engine/gpujs", "test/engine/gpujs", "test/support/gpu", "package-lock.json"],
  },
  {
    name: "testing",
    tests: ["test/testing/**/*.test.ts", "test/vectors/**/*.test.ts"],
    sources: ["src/testing", "src/vectors", "test/testing", "test/vectors"],
  },
  { name: "source", tests: ["test/source/**/*.test.ts"], sources: ["src/source", "test/source"] },
  { name: "learn", tests: ["test/learn/**/*.test.ts"], sources: ["src/learn", "test/learn"] },
  {
    name: "report",
    tests: ["test/report/**/*.test.ts"],
    sources: ["src/report", "test/report", "browser-bundle.ts"],
  },
  { name: "page", tests: ["test/page/**/*.test.ts"], sources: ["src/page", "test/page"] },
  { name: "cli", tests: ["test/cli/**/*.test.ts"], sources: ["src/cli", "test/cli"] },
  {
    name: "cluster",
    tests: ["test/cluster/**/*.test.ts"],
    sources: [
      "src/lens/shard",
      "src/source/shard",
      "src/cli/shard.ts",
      "src/cli/shard-job.ts",
      "src/cli/shard-option.ts",
      "src/cli/merge.ts",
      "src/cli/write-part.ts",
      "src/engine/plan-tensor.ts",
      "docs/cluster",
      "Dockerfile",
      "test/cluster",
      "test/data/kubernetes",
    ],
  },
  { name: "recorders", tests: ["test/recorders/**/*.test.ts"], sources: ["recorders", "test/recorders"] },
  {
    name: "package",
    tests: ["test/*.test.ts"],
    sources: ["package.json", "esbuild.config.ts", "tsconfig.build.json", "src/index.ts", "src/node.ts"],
  },
];

const root = fileURLToPath(new URL("../", import.meta.url));

/** The group of a test file: the one that names the innermost of its folders. */
export function groupOf(path: string): Group {
  const inside = relative(root, path).replaceAll("\\", "/");
  const depth = ({ tests }: Group) =>
    Math.max(...tests.map((glob) => glob.slice(0, glob.search(/[^/]*[*!]/))).map(foldersOf));
  const foldersOf = (folder: string) => (inside.startsWith(folder) ? folder.split("/").length : 0);
  return groups.reduce((inner, group) => (depth(group) > depth(inner) ? group : inner));
}

/** A digest of the names and the bytes of a group's sources. */
export function digestOf({ sources, without = [] }: Group): string {
  const hash = createHash("sha256");
  const isProved = (path: string) => !without.some((folder) => path.startsWith(`${folder}/`));
  for (const path of sources.flatMap(filesIn).filter(isProved).sort()) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/** Paths below the root, with forward slashes. */
function filesIn(path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter(({ name }) => name !== "__pycache__")
    .flatMap(({ name }) => filesIn(`${path}/${name}`));
}

/** Digests of the sources with which the full tier of each group last passed; written by {@link recordFull}. */
const record = join(root, "test/full-tier.json");

function recorded(): Record<string, { sources: string; date: string }> {
  return JSON.parse(readFileSync(record, "utf8"));
}

/** Notes that the full tier of a group passed with sources of this digest. */
export function recordFull(group: string, sources: string): void {
  const all = { ...recorded(), [group]: { sources, date: new Date().toISOString().slice(0, 10) } };
  const inOrder = groups.flatMap(({ name }) => (all[name] ? [[name, all[name]]] : []));
  writeFileSync(record, `${JSON.stringify(Object.fromEntries(inOrder), null, 2)}\n`);
}

/**
 * The groups that run in the full tier: none, `all`, the `changed` ones (whose full tier has not passed with the
 * sources as they are), or those named, separated by commas.
 *
 * @throws RangeError for an unknown name.
 */
export function fullGroups(asked = ""): ReadonlySet<string> {
  const names = groups.map(({ name }) => name);
  if (asked === "all") return new Set(names);
  if (asked === "changed") {
    const known = recorded();
    return new Set(
      groups.filter((group) => known[group.name]?.sources !== digestOf(group)).map(({ name }) => name),
    );
  }
  const chosen = asked.split(",").filter((name) => name !== "");
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new RangeError(`unknown group "${unknown}": expected ${names.join(", ")}`);
  return new Set(chosen);
}
