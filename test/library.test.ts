import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { entries, exportedFiles } from "./library/exports.js";
import { libraryPage } from "./library/page.js";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("docs/library.md is what `npm run library` writes", () => {
  expect(read("docs/library.md")).toBe(libraryPage());
});

test("has every entry of package.json, and every name that one exports", async () => {
  const { exports } = JSON.parse(read("package.json"));
  const modules = Object.keys(exports).filter((path) => !path.endsWith(".json"));
  expect(entries.map(([name]) => name)).toEqual(modules.map((path) => path.replace(/^\./, "precision-lens")));
  const loaded = {
    "index.ts": await import("../src/index.js"),
    "testing/index.ts": await import("../src/testing/index.js"),
    "testing/fast-check.ts": await import("../src/testing/fast-check.js"),
  };
  for (const [entry, names] of Object.entries(loaded)) {
    const listed = exportedFiles(entry).flatMap(({ functions, values }) =>
      [...functions, ...values].map(({ name }) => name),
    );
    expect(listed.toSorted()).toEqual(Object.keys(names).toSorted());
  }
});
