import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesInEveryRounding, onRunner } from "./suite.js";

const { node, browsers } = gpujsRunners();
for (const runner of [node, ...browsers]) onRunner(runner, () => agreesInEveryRounding(runner));
