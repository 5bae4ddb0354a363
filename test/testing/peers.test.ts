import { spawnSync } from "node:child_process";
import { f16round } from "@petamoriken/float16";
import { expect, it } from "vitest";
import { checkRounding } from "../../src/testing/index.js";
import { describeNeeding, python, requirements } from "../support/requirements.js";

it("@petamoriken/float16 rounds to fp16 right", () => {
  expect(checkRounding(f16round, "fp16").exhaustive).toBe(true);
});

describeNeeding(requirements.numpy, "numpy", () => {
  const program =
    "import sys, numpy; x = numpy.frombuffer(sys.stdin.buffer.read()); " +
    "numpy.seterr(all='ignore'); sys.stdout.buffer.write(x.astype(numpy.float16).astype(float).tobytes())";

  it("its float16 rounds to fp16 right", () => {
    // One process for all numbers: they are collected first, and are the same again.
    const asked: number[] = [];
    checkRounding((x) => {
      asked.push(x);
      return f16round(x);
    }, "fp16");
    const input = Buffer.from(Float64Array.from(asked).buffer);
    const { stdout, status } = spawnSync(python, ["-c", program], { input, maxBuffer: 2 ** 30 });
    expect(status).toBe(0);
    const answers = new Float64Array(Uint8Array.from(stdout).buffer);
    let at = 0;
    expect(checkRounding(() => answers[at++], "fp16").cases).toBe(asked.length);
  });
});
