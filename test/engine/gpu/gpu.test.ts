import { dawn, inChromium } from "./runners.js";
import { gpuSuite } from "./suite.js";

// In one file, for what the reference makes of a job is the same for all and takes as long as a device's part.
for (const runner of [inChromium("webgl2"), inChromium("webgpu"), dawn()]) gpuSuite(runner);
