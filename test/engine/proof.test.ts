import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { proofOf } from "../../src/engine/proof.js";
import { reference } from "../../src/engine/reference/reference.js";
import { updateSettings } from "../../src/update/settings.js";

test("a self-check that threw is made again, one that came to an end is kept", async () => {
  let runs = 0;
  let broken = true;
  const flaky: Engine = {
    ...reference,
    name: "flaky",
    run: async (...args) => {
      runs += 1;
      if (broken) throw new Error("device lost");
      return reference.run(...args);
    },
  };
  const proof = proofOf(flaky);
  const cases = [updateSettings({ format: "bf16" })];
  await expect(proof(cases)).rejects.toThrow("device lost");
  broken = false;
  expect(await proof(cases)).toMatchObject({ failed: 0 });
  const [after, another] = [runs, [updateSettings({ format: "fp16" })]];
  expect(await proof(cases)).toMatchObject({ failed: 0 });
  expect(runs).toBe(after);
  broken = true;
  await expect(proof(another)).rejects.toThrow("device lost");
  broken = false;
  expect(await proof(another)).toMatchObject({ failed: 0 });
});
