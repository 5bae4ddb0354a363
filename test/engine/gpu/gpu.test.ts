import { dawn, inChromium } from "./runners.js";
import { gpuSuite } from "./suite.js";

// In one file, for what the reference makes of a job is the same for all: half a second, beside one or two of a device.
for (const runner of [inChromium("webgl2"), inChromium("webgpu"), dawn()]) gpuSuite(runner);
