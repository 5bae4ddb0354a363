import { formats } from "../../../src/format/registry.js";
import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesOnAdversarial, onRunner } from "./suite.js";

// By formats and not by runners, for what the reference makes of a job is the same for all runners and counted once.
const { node, browsers } = gpujsRunners();
const wide = [...formats.values()].filter(({ bits }) => bits > 8).map(({ name }) => name);
for (const runner of [node, ...browsers]) onRunner(runner, () => agreesOnAdversarial(runner, wide, 500_000));
