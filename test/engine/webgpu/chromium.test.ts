import { it } from "vitest";
import { expectSame } from "../../support/gpu/agree.js";
import { webGpuRunners } from "../../support/gpu/runners.js";
import { fullTier } from "../../support/tier.js";
import { agreesInTurn, agreesOnAdversarial, countsAsNumpy, onRunner, provesItself } from "../gpujs/suite.js";

const { browser } = webGpuRunners();

// The kernels' text is that of Node: the quick tier asks whether a browser carries it out.
onRunner(browser, () => {
  agreesInTurn(browser, ["bf16"], 4096);
  if (!fullTier) return;
  // The whole self-check runs in Node (refusal.test.ts).
  provesItself(browser, [{ format: "fp16", scheme: "kahan" }]);
  agreesOnAdversarial(browser, ["bf16", "e4m3fn"], 2 ** 17);
  countsAsNumpy(browser, ["sft/late"], { joined: true });
  it("shared scales of adversarial numbers", async () => {
    const cases = (["mxfp8-e4m3:ceil", "mxfp4"] as const).map((format) => ({
      format,
      scheme: "master" as const,
    }));
    await expectSame(browser, { adversarial: 2 ** 14, steps: 2, cases });
  });
});
