import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesInEveryRounding, onRunner } from "./suite.js";

const { node, browsers } = gpujsRunners();
for (const [turn, runner] of [node, ...browsers].entries())
  onRunner(runner, () => agreesInEveryRounding(runner, turn));
