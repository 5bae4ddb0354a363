import { inChromium } from "./runners.js";
import { gpuSuite } from "./suite.js";

gpuSuite(inChromium("webgl2"));
