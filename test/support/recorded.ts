import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const windows = ["rlvr", "sft", "opd"].flatMap((run) => [`${run}/early`, `${run}/late`]);

/** The folder of a recorded run, such as `rlvr/early`. */
export function recordedPath(name: string): string {
  return fileURLToPath(new URL(`../data/recorded/${name}`, import.meta.url));
}

/** What numpy counted of one case, apart from this project. */
export interface ExpectedCase {
  readonly format: string;
  readonly scheme: "in-place" | "master" | "kahan";
  readonly end: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

export function expectedCases(window: string): ExpectedCase[] {
  return JSON.parse(readFileSync(`${recordedPath(window)}/expected.json`, "utf8"));
}
