import { expect, test } from "vitest";
import { warnOfSkipped } from "../../src/cli/warn-of-skipped.js";

function warningOf(...names: string[]): string {
  let text = "";
  const err = { write: (more: string) => (text += more) };
  const skipped = names.map((name) => ({ name, reason: "has no updates" }));
  warnOfSkipped({ skipped }, { out: err, err } as never);
  return text;
}

test("a tensor that is not counted is the first only where there are more", () => {
  expect(warningOf()).toBe("");
  expect(warningOf("b")).toBe('precision-lens: 1 tensor was not counted, "b": has no updates\n');
  expect(warningOf("b", "c")).toBe(
    'precision-lens: 2 tensors were not counted; the first, "b": has no updates\n',
  );
});
