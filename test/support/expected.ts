import { readFileSync } from "node:fs";
import { recorded } from "./recorded.js";

/** What numpy counted of one case of a recorded run, apart from this project. */
export interface ExpectedCase {
  readonly format: string;
  readonly scheme: "in-place" | "master" | "kahan";
  readonly end: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

export function expectedCases(window: string): ExpectedCase[] {
  return JSON.parse(readFileSync(`${recorded(window)}/expected.json`, "utf8"));
}
