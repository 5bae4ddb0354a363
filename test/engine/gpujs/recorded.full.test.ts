import { gpujsRunners } from "../../support/gpu/runners.js";
import { recordedWindows } from "../../support/recorded.js";
import { countsAsNumpy, onRunner } from "./suite.js";

const { node, browsers } = gpujsRunners();
const early = recordedWindows.filter((window) => window.endsWith("/early"));
const late = recordedWindows.filter((window) => !early.includes(window));
onRunner(node, () => {
  countsAsNumpy(node, early, { joined: false });
  countsAsNumpy(node, late, { joined: true });
});
for (const runner of browsers)
  onRunner(runner, () => countsAsNumpy(runner, recordedWindows, { joined: true }));
