import { formats } from "../../../src/format/registry.js";
import { gpujsRunners } from "../../support/gpu/runners.js";
import { agreesOnAdversarial, onRunner } from "./suite.js";

const { node, browsers } = gpujsRunners();
const narrow = [...formats.values()].filter(({ bits }) => bits <= 8).map(({ name }) => name);
for (const runner of [node, ...browsers])
  onRunner(runner, () => agreesOnAdversarial(runner, narrow, 500_000));
