import { dawn } from "./runners.js";
import { gpuSuite } from "./suite.js";

gpuSuite(dawn());
