import { gpujsRunners } from "../../support/gpu/runners.js";
import { recordedWindows } from "../../support/recorded.js";
import { countsAsNumpy, onRunner } from "./suite.js";

const { node, browsers } = gpujsRunners();
for (const runner of [node, ...browsers]) onRunner(runner, () => countsAsNumpy(runner, recordedWindows));
