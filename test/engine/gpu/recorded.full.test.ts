import { recordedWindows } from "../../support/recorded.js";
import { runners } from "./runners.js";
import { countsAsNumpy, onRunner } from "./suite.js";

const { node, browsers } = runners();
for (const runner of [node, ...browsers]) onRunner(runner, () => countsAsNumpy(runner, recordedWindows));
