import { afterAll, beforeAll, expect, it } from "vitest";
import { describeNeeding } from "../../support/requirements.js";
import { runners } from "./runners.js";

for (const runner of runners) {
  describeNeeding(runner.needs, runner.name, () => {
    beforeAll(() => runner.open());
    afterAll(() => runner.close());

    it("names its device", async () => {
      expect(await runner.device()).toMatch(/SwiftShader/i);
    });

    it("passes its self-check", async () => {
      expect(await runner.selfCheck()).toMatchObject({ failed: 0, firstFailure: null });
    });

    it("small adversarial", async () => {
      const found = await runner.compare({ adversarial: 1 << 18, steps: 2, cases: [{ format: "bf16" }] });
      expect(found.differing).toEqual([]);
      expect(found.handedOver).toBeLessThan(0.03);
    });
  });
}
