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
// The kernels' text is the same there: each browser's backend takes half of the windows.
for (const [i, runner] of browsers.entries())
  onRunner(runner, () => countsAsNumpy(runner, i === 0 ? early : late, { joined: true }));
