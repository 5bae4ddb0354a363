import { runners } from "./runners.js";
import { agreesInEveryRounding, onRunner } from "./suite.js";

const { node, browsers } = runners();
for (const [turn, runner] of [node, ...browsers].entries())
  onRunner(runner, () => agreesInEveryRounding(runner, turn));
