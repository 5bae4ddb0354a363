import { formats } from "../../../src/format/registry.js";
import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesOnAdversarial, onRunner } from "./suite.js";

// Other numbers on each runner: 900,000 updates of a format for the kernels' text, 300,000 for each backend.
const { node, browsers } = gpujsRunners();
const narrow = [...formats.values()].filter(({ bits }) => bits <= 8).map(({ name }) => name);
for (const [seed, runner] of [node, ...browsers].entries())
  onRunner(runner, () => agreesOnAdversarial(runner, narrow, 150_000, seed));
