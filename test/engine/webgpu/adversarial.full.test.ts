import { formats } from "../../../src/format/registry.js";
import { webGpuRunners } from "../../support/gpu/runners.js";
import { recordedWindows } from "../../support/recorded.js";
import { agreesOnAdversarial, countsAsNumpy, onRunner } from "../gpujs/suite.js";
import { roundsAsGolden } from "./golden.js";

const { node } = webGpuRunners();
const early = recordedWindows.filter((window) => window.endsWith("/early"));
const late = recordedWindows.filter((window) => !early.includes(window));

// Narrower formats: adversarial-narrow.full.test.ts.
const wide = [...formats.values()].filter(({ bits }) => bits > 8).map(({ name }) => name);

onRunner(node, () => {
  agreesOnAdversarial(node, wide, 180_000);
  countsAsNumpy(node, early, { joined: false });
  countsAsNumpy(node, late, { joined: true });
  roundsAsGolden(node, ["bf16", "fp16", "e5m2", "e4m3fn", "e3m2fn", "e2m3fn", "e2m1fn"]);
});
