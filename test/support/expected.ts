import { readFileSync } from "node:fs";
import { recorded } from "./recorded.js";

/** The counts of one case of a recorded run computed by numpy, independently of this project. */
export interface ExpectedCase {
  readonly format: string;
  readonly scheme: "in-place" | "master" | "kahan";
  readonly end: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

export function expectedCases(window: string): ExpectedCase[] {
  return JSON.parse(readFileSync(`${recorded(window)}/expected.json`, "utf8"));
}
