/** A project that tests its arithmetic with what the package has for that, from the packed file: as its `npm test` finds it. */
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { put, temporaryFolder } from "./source/support.js";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));
const folder = temporaryFolder();
const home = join(folder, "app");

const manifest = {
  name: "app",
  private: true,
  type: "module",
  scripts: { test: `node ${join(root, "node_modules/typescript/bin/tsc")} -p . && node --test built/` },
};

const compilerOptions = {
  module: "nodenext",
  target: "es2022",
  lib: ["es2022"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  outDir: "built",
};

const own = `
import assert from "node:assert";
import test from "node:test";
import fc from "fast-check";
import { round } from "precision-lens";
import { ArithmeticMismatch, type Checked, checkEncoding, checkOperation, checkRounding } from "precision-lens/testing";
import { nearTies, operands } from "precision-lens/testing/fast-check";

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
const encode = (given: number): number => {
  const code = (given + 0x7fff + ((given >>> 16) & 1)) / 2 ** 16;
  return (given & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : code & 0xffff;
};
const bf16 = (x: number): number => {
  float[0] = x;
  bits[0] = encode(bits[0]!) * 2 ** 16;
  return float[0]!;
};

test("my bf16", () => {
  const { cases, exhaustive }: Checked = checkEncoding(encode, "bf16");
  assert.ok(exhaustive && cases > 100_000);
  checkRounding(bf16, "bf16", { from: "fp32" });
  checkOperation((a, b) => bf16(a + b), "add", "bf16", { level: 1 });
});

test("my bf16 of fp64 is rounded twice", () => {
  assert.throws(() => checkRounding(bf16, "bf16"), (error: unknown) => {
    assert.ok(error instanceof ArithmeticMismatch);
    assert.equal(error.mistakes[0]?.name, "through fp32");
    return true;
  });
});

test("as a property", () => {
  fc.assert(fc.property(nearTies("bf16", "fp32"), (x: number) => Object.is(bf16(x), round(x, "bf16"))));
  fc.assert(fc.property(operands("mul", "bf16"), (xs: number[]) => xs.length === 2));
});
`;

beforeAll(async () => {
  mkdirSync(join(home, "node_modules/precision-lens"), { recursive: true });
  const { stdout } = await execute("npm", [
    "pack",
    root,
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    folder,
  ]);
  const [{ filename }] = JSON.parse(stdout);
  const to = join(home, "node_modules/precision-lens");
  await execute("tar", ["-xzf", join(folder, basename(filename)), "-C", to, "--strip-components=1"]);
  for (const name of ["fast-check", "pure-rand", "@types/node", "undici-types"]) {
    const link = join(home, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link, "junction");
  }
  put(home, "package.json", JSON.stringify(manifest));
  put(home, "tsconfig.json", JSON.stringify({ compilerOptions, files: ["own.test.ts"] }));
});

test("npm test of a TypeScript project passes, types strict and checked", async () => {
  put(home, "own.test.ts", own);
  const { stdout } = await execute("npm", ["test"], { cwd: home });
  expect(stdout).toMatch(/pass 3\b/);
  expect(stdout).toMatch(/fail 0\b/);
});

test("an option that is none is an error of types", async () => {
  put(home, "own.test.ts", own.replace('{ from: "fp32" }', '{ rounding: "upwards" }'));
  await expect(execute("npm", ["test"], { cwd: home })).rejects.toMatchObject({
    stdout: expect.stringContaining('"upwards"'),
  });
});
