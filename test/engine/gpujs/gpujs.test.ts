import { formats } from "../../../src/format/registry.js";
import { gpujsRunners } from "../../support/gpu/runners.js";
import { fullTier } from "../../support/tier.js";
import {
  agreesAtMilestones,
  agreesForEveryBatch,
  agreesInTurn,
  agreesOnAdversarial,
  countsAsNumpy,
  onRunner,
  provesItself,
  roundsAsGolden,
} from "./suite.js";

const { node, browsers } = gpujsRunners();
/** Beside its literal cases a self-check compares these with the reference; undefined: every scheme and rounding. */
const proven = fullTier ? undefined : [];

onRunner(node, () => {
  provesItself(node, proven);
  countsAsNumpy(node, ["rlvr/early"], { joined: !fullTier, formats: ["bf16"] });
  roundsAsGolden(node, fullTier ? undefined : ["bf16", "e4m3fn"]);
  agreesOnAdversarial(node, ["bf16"], 2 ** 15);
  agreesInTurn(
    node,
    [...formats.keys()].filter((name, i) => name !== "bf16" && (fullTier || i % 2 === 1)),
    4096,
  );
  // In both tiers synthetic.test.ts has curves, and batch.test.ts how a job is cut into batches.
  if (!fullTier) return;
  agreesAtMilestones(node);
  agreesForEveryBatch(node);
});

// The kernels' text is the same there: the quick tier asks whether WebGL2, which Node has not, carries it out.
for (const runner of browsers.slice(0, fullTier ? undefined : 1)) {
  onRunner(runner, () => {
    agreesOnAdversarial(runner, ["bf16"], 2 ** 15);
    if (!fullTier) return;
    provesItself(runner);
    roundsAsGolden(runner);
    agreesAtMilestones(runner);
    agreesForEveryBatch(runner);
  });
}
