import { formats } from "../../../src/format/registry.js";
import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesOnAdversarial, onRunner } from "./suite.js";

// Other numbers on each runner: 1.2 million updates of a format for the kernels' text, 400,000 for each backend.
const { node, browsers } = gpujsRunners();
const narrow = [...formats.values()].filter(({ bits }) => bits <= 8).map(({ name }) => name);
for (const [seed, runner] of [node, ...browsers].entries())
  onRunner(runner, () => agreesOnAdversarial(runner, narrow, 200_000, seed));
