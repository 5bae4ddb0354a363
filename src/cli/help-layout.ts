import { Help } from "commander";
import { wrap } from "../report/columns.js";

/** The minimum width of a description next to its option; with less it goes below. */
const besideFrom = 38;
const indent = " ".repeat(6);

/** The layout of help on a narrow terminal, where commander does not break lines. */
export const helpLayout = {
  formatItem(this: Help, term: string, termWidth: number, description: string, helper: Help): string {
    const width = helper.helpWidth ?? 80;
    if (width - termWidth - 4 >= besideFrom || description === "") {
      return new Help().formatItem.call(helper, term, termWidth, description, helper);
    }
    const lines = wrap(description, width - indent.length).map((line) => `${indent}${line}`);
    return [`  ${term}`, ...lines].join("\n");
  },
  /** Below this width commander does not break lines. */
  minWidthToWrap: besideFrom - 2,
};
