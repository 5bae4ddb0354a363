import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { faults } from "./faults/faults.js";

test.each(faults.map((fault) => [fault.file, fault.mistake, fault] as const))(
  "%s: the place of the fault is there, once: %s",
  (file, _, { find }) => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
    expect(text.split(find)).toHaveLength(2);
  },
);
