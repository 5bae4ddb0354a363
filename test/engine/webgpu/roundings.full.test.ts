import { webGpuRunners } from "../../support/gpu/runners.js";
import { agreesInEveryRounding, onRunner } from "../gpujs/suite.js";

const { node } = webGpuRunners();

// A third of the triples has every pair of a scheme, a rounding and a format. Kernels are made of one text for each of
// the three, and compiling one takes SwiftShader a second.
onRunner(node, () => agreesInEveryRounding(node, 0));
