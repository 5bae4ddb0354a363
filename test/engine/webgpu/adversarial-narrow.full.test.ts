import { formats } from "../../../src/format/registry.js";
import { webGpuRunners } from "../../support/gpu/runners.js";
import { agreesOnAdversarial, onRunner } from "../gpujs/suite.js";

// A file of its own, which runs beside the wider formats.
const { node } = webGpuRunners();
const narrow = [...formats.values()].filter(({ bits }) => bits <= 8).map(({ name }) => name);
onRunner(node, () => agreesOnAdversarial(node, narrow, 180_000));
