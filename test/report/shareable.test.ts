import { expect, test } from "vitest";
import { endOf, shareable } from "../../src/report/shareable.js";
import { caseOf, resultOf } from "../support/results.js";

const counted = await caseOf([1], [1]);

function named(weights: string | null, updates: string | null) {
  const { input } = resultOf([counted]);
  return shareable(resultOf([counted], { input: { ...input, weights, updates, moments: "/x/run/moments" } }))
    .input;
}

test("an absolute path keeps its last two names and says so, a relative one all, on any system", () => {
  expect(named("/home/her/runs/7/base.safetensors", "runs/7/deep/updates")).toMatchObject({
    weights: "…/7/base.safetensors",
    updates: "runs/7/deep/updates",
    gradients: null,
    moments: "…/run/moments",
    elements: 1,
  });
  expect(named("C:\\Users\\her\\runs\\7", "/RUN")).toMatchObject({ weights: "…/runs/7", updates: "…/RUN" });
  expect(named("/a/b/c/, d/e/f, /g/h/i", null)).toMatchObject({
    weights: "…/b/c, d/e/f, …/h/i",
    updates: null,
  });
});

test("both sides of a comparison", () => {
  const before = { path: "/home/her/base", kind: "checkpoint" };
  expect(shareable({ input: { before, after: { ...before, path: "tuned" } } }).input).toEqual({
    before: { path: "…/her/base", kind: "checkpoint" },
    after: { path: "tuned", kind: "checkpoint" },
  });
});

test("recorded runs keep as much of their paths as tells them apart", () => {
  const named = (...paths: string[]) =>
    (shareable({ input: { runs: 2 }, runs: paths.map((path) => ({ path })) }).runs ?? []).map(
      ({ path }) => path,
    );
  expect(named("/runs/a/rlvr/early", "/runs/a/rlvr/final", "sft/deep/down/early")).toEqual([
    "…/rlvr/early",
    "…/rlvr/final",
    "sft/deep/down/early",
  ]);
  expect(named("/runs/a/rlvr/early", "/runs/b/rlvr/early")).toEqual(["…/a/rlvr/early", "…/b/rlvr/early"]);
});

test("the end of a path", () => {
  expect(endOf("a")).toBe("a");
  expect(endOf("/a//b/c/")).toBe("b/c");
});
