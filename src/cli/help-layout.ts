import { Help } from "commander";
import { wrap } from "../report/columns.js";

/** Columns that a description needs beside its option; with fewer it goes below. */
const besideFrom = 38;
const indent = " ".repeat(6);

/** How options and commands stand in the help of a narrow terminal, where commander breaks no lines. */
export const helpLayout = {
  formatItem(this: Help, term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? 80;
    if (width - termWidth - 4 >= besideFrom || description === "") {
      return new Help().formatItem.call(helper, term, termWidth, description, helper);
    }
    const lines = wrap(description, width - indent.length).map((line) => `${indent}${line}`);
    return [`  ${term}`, ...lines].join("\n");
  },
  /** Below it commander breaks no lines. */
  minWidthToWrap: besideFrom - 2,
};
