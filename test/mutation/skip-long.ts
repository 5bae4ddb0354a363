import { beforeEach } from "vitest";

/**
 * Tests that loop for long, even over the quick tier's samples: instrumented code is about ten times slower. Others of
 * their files look at the same code. And one that reads the text of a source, which the instrumenter rewrites.
 */
const skipped = [
  /the text of distribution\.ts/,
  /of operands chosen for their result/, // test/mutation/operations.short.ts draws few of the same
  /of zeros, infinities, NaN and extremes to '(?!bf16'|e4m3fn'|e4m3fnuz'|e2m1fn')/,
  /on hard operands is often/,
  /'e5m10' is 'fp16' on everything/,
  /'e8m7' is 'bf16' on everything/,
  /stochastic rounding is unbiased/,
  /chunk size and tensor order never change/,
  /rlvr|sft|opd/,
  /so the recipe decays nothing/,
  /v never decays/,
  /decodeTable takes a format by its record/,
  /moves weights by \.59 of the learning rate/,
  /a memory longer than any run of/,
  /whatever wraps a model/,
  /ratios of sums over the whole have/,
];

beforeEach(({ task, skip }) => {
  const names: string[] = [];
  for (
    let node: { name: string; suite?: { name: string } | undefined } | undefined = task;
    node;
    node = node.suite
  ) {
    names.unshift(node.name);
  }
  const name = names.join(" ").trim();
  if (skipped.some((pattern) => pattern.test(name))) skip();
});
