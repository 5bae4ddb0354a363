import { runners } from "./runners.js";
import { agreesInEveryRounding, onRunner } from "./suite.js";

const { node, browsers } = runners();
for (const runner of [node, ...browsers]) onRunner(runner, () => agreesInEveryRounding(runner));
